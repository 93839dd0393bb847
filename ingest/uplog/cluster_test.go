package uplog

import (
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// One server by address stands for a cluster: what matters here is that two
// daemons write to one partition.
func TestTwoDaemonsWriteToOnePartition(t *testing.T) {
	srv, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir(), SyncAlways: true})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	if !srv.ReadyForConnections(30 * time.Second) {
		t.Fatal("the server is not ready")
	}
	o := Options{URLs: []string{srv.ClientURL()}, Replicas: 1, Partitions: 1, MaxBytes: 1 << 30}
	one, two := open(t, o), open(t, o)
	g := newLedger()
	const n = 3000
	var wg sync.WaitGroup
	for k, l := range []*Log{one, two} {
		wg.Go(func() {
			for i := k; i < n; i += 2 {
				if err := g.append(t.Context(), l, i, 100); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	eventually(t, "all are acknowledged", func() bool { return g.count() == n })
	exactlyOnce(t, one, n)
	exactlyOnce(t, two, n)
	if got := len(collect(t, two, n)); got != n { // also proves that the wall clock never runs back
		t.Fatalf("%d records", got)
	}
}
