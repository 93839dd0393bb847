package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"lamplighter/devices/database"
	"lamplighter/devices/devicestest"
)

// TestTheWholeWayOnPostgres goes from the import to the ticket with the facts in
// a real PostgreSQL, and through a restart: nothing is opened twice.
func TestTheWholeWayOnPostgres(t *testing.T) {
	t.Parallel()
	url := devicestest.Postgres(t)
	d := newDaemonWith(t, fmt.Sprintf("database: %q\n", url))
	file := filepath.Join(t.TempDir(), "city.csv")
	if err := os.WriteFile(file, []byte("编号,类型,名称,经度,纬度,密码\nMH-1,井盖,第一个井盖,119.3,26.08,choose-16-or-more-characters\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(d.data, "conf.yml")
	if out := d.tool("devices", "import", file, "--data", d.data, "--config", conf, "--by", "li"); !strings.Contains(out, "1 added") {
		t.Fatalf("import says %s", out)
	}
	pub := devicestest.NeedBinary(t, "mosquitto_pub")
	publish := func(text string) {
		t.Helper()
		host, port, err := net.SplitHostPort(d.mqtt)
		if err != nil {
			t.Fatal(err)
		}
		d.eventually("the device is let in", func() bool {
			return exec.Command(pub, "-h", host, "-p", port, "-u", "MH-1", "-P", "choose-16-or-more-characters", "-q", "1", "-t", "f/1/MH-1/telemetry", "-m", text).Run() == nil
		})
	}
	publish(`{"tilt_deg":33.5}`)
	open := func() ticketList {
		var ts ticketList
		d.eventually("a ticket", func() bool { return d.get("tickets", &ts) && len(ts.Items) > 0 })
		return ts
	}
	if ts := open(); len(ts.Items) != 1 {
		t.Fatalf("tickets %+v", ts)
	}
	d.end(syscall.SIGTERM)
	d.start()
	publish(`{"tilt_deg":34.5}`)
	if ts := open(); len(ts.Items) != 1 {
		t.Fatalf("after a restart %+v", ts)
	}
	if n := rowsOf(t, url, `SELECT COUNT(*) FROM ticket WHERE facility='MH-1'`); n != 1 {
		t.Errorf("%d tickets in PostgreSQL", n)
	}
	if n := rowsOf(t, url, `SELECT COUNT(*) FROM census_change WHERE who='li' AND what='added'`); n != 1 {
		t.Errorf("%d changes in PostgreSQL", n)
	}
	if _, err := os.Stat(filepath.Join(d.data, "lamplighter.db")); !os.IsNotExist(err) {
		t.Errorf("there is an SQLite file beside PostgreSQL: %v", err)
	}
	if r, err := http.Get("http://" + d.http + "/-/ready"); err != nil || r.StatusCode != http.StatusOK {
		t.Errorf("not ready: %v", err)
	} else {
		r.Body.Close()
	}
}

func rowsOf(t *testing.T, url, query string) (n int) {
	t.Helper()
	db, err := database.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
