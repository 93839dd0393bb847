package store

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/VictoriaMetrics/VictoriaMetrics/app/vminsert"
	vminsertcommon "github.com/VictoriaMetrics/VictoriaMetrics/app/vminsert/common"
	"github.com/VictoriaMetrics/VictoriaMetrics/app/vmselect"
	"github.com/VictoriaMetrics/VictoriaMetrics/app/vmselect/promql"
	"github.com/VictoriaMetrics/VictoriaMetrics/app/vmstorage"
	"github.com/VictoriaMetrics/VictoriaMetrics/lib/cgroup"
	"github.com/VictoriaMetrics/VictoriaMetrics/lib/httpserver"
	"github.com/VictoriaMetrics/VictoriaMetrics/lib/logger"
	"github.com/VictoriaMetrics/VictoriaMetrics/lib/procutil"
	"github.com/rs/zerolog"
)

// RunChild is the store process: VictoriaMetrics single node, with args for its
// flags and its address last. It returns after SIGTERM.
func RunChild(args []string) error {
	if len(args) < 1 {
		return fmt.Errorf("store child: no address given")
	}
	addrs := args[len(args)-1:]
	cgroup.SetGOGC(30)
	if err := flag.CommandLine.Parse(args[:len(args)-1]); err != nil {
		return fmt.Errorf("store child: %w", err)
	}
	logger.Init()
	queries := max(2, min(cgroup.AvailableCPUs()*2, 16))
	vmstorage.Init(queries, 10*time.Second, promql.ResetRollupResultCacheIfNeeded)
	vmselect.Init(queries, 10*time.Second)
	vminsertcommon.StartIngestionRateLimiter(0)
	vminsert.Init()
	go httpserver.Serve(addrs, func(w http.ResponseWriter, r *http.Request) bool {
		return vminsert.RequestHandler(w, r) || vmselect.RequestHandler(w, r) || vmstorage.RequestHandler(w, r)
	}, httpserver.ServeOptions{})
	procutil.WaitForSigterm()
	err := httpserver.Stop(addrs)
	vminsertcommon.StopIngestionRateLimiter()
	vminsert.Stop()
	vmstorage.Stop()
	vmselect.Stop()
	return err
}

// ChildOptions say how the store child runs.
type ChildOptions struct {
	Executable string   // this binary
	Args       []string // of the hidden subcommand, before the store's own
	Env        []string // added to the child's environment
	Dir        string
	Retention  time.Duration // default 5 years
	MemoryMB   int           // default 512
	Log        zerolog.Logger
}

// Child is the supervised store process. It is started again, with a growing
// pause, whenever it ends.
type Child struct {
	opt      ChildOptions
	addr     string
	password string
	cancel   context.CancelFunc
	done     chan struct{}

	flushing sync.Mutex
	flushed  time.Time // guarded by flushing

	mu      sync.Mutex
	pid     int    // guarded by mu: 0 while it does not run
	starts  int    // guarded by mu
	trouble string // guarded by mu
}

// Supervise starts the child on a free port of the loopback address with a
// random password, so that nobody else on the machine can write into it.
func Supervise(ctx context.Context, o ChildOptions) (*Child, error) {
	if o.Retention == 0 {
		o.Retention = 5 * 365 * 24 * time.Hour
	}
	if o.MemoryMB == 0 {
		o.MemoryMB = 512
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder of the store: %w", err)
	}
	addr, err := freePort()
	if err != nil {
		return nil, err
	}
	c := &Child{opt: o, addr: addr, password: rand.Text(), done: make(chan struct{})}
	if err := os.WriteFile(c.passwordFile(), []byte(c.password), 0o600); err != nil {
		return nil, fmt.Errorf("password of the store: %w", err)
	}
	if err := os.WriteFile(filepath.Join(o.Dir, addressFile), []byte(addr), 0o600); err != nil {
		return nil, fmt.Errorf("address of the store: %w", err)
	}
	ctx, c.cancel = context.WithCancel(ctx)
	go c.supervise(ctx)
	return c, c.waitReady(ctx, time.Minute)
}

func freePort() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a port for the store: %w", err)
	}
	return ln.Addr().String(), ln.Close()
}

func (c *Child) passwordFile() string { return filepath.Join(c.opt.Dir, passwordFile) }

// Beside its data stand where the child answers and what it wants to hear, for
// tools of the same user.
const (
	passwordFile = "password"
	addressFile  = "address"
)

// Beside is a reader of the child that another process has started in dir.
func Beside(dir string) (*PromQL, error) {
	password, err := os.ReadFile(filepath.Join(dir, passwordFile))
	if err != nil {
		return nil, fmt.Errorf("password of the store: %w", err)
	}
	addr, err := os.ReadFile(filepath.Join(dir, addressFile))
	if err != nil {
		return nil, fmt.Errorf("address of the store: %w", err)
	}
	return (&Child{opt: ChildOptions{Dir: dir, Log: zerolog.Nop()}, addr: string(addr), password: string(password)}).Reader()
}

const childUser = "lamplighter"

func (c *Child) flags() []string {
	return []string{
		"-storageDataPath=" + filepath.Join(c.opt.Dir, "victoria-metrics"),
		"-retentionPeriod=" + strconv.Itoa(max(1, int(c.opt.Retention.Hours()/24))) + "d",
		"-memory.allowedBytes=" + strconv.Itoa(c.opt.MemoryMB) + "MiB",
		"-dedup.minScrapeInterval=1ms", "-search.latencyOffset=0s", "-search.disableCache",
		"-search.cacheTimestampOffset=" + c.opt.Retention.String(), // or each late batch is a warning about the cache that is off
		"-influxDBLabel=", "-influx.maxLineSize=1MiB",
		"-httpAuth.username=" + childUser, "-httpAuth.password=file://" + c.passwordFile(),
		"-storage.minFreeDiskSpaceBytes=64MiB", "-loggerLevel=WARN", "-inmemoryDataFlushInterval=1s", "-http.maxGracefulShutdownDuration=1s",
		c.addr,
	}
}

// supervise runs the child until ctx ends.
func (c *Child) supervise(ctx context.Context) {
	defer close(c.done)
	for pause := 100 * time.Millisecond; ctx.Err() == nil; pause = min(2*pause, 10*time.Second) {
		began := time.Now()
		err := c.run(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > time.Minute {
			pause = 100 * time.Millisecond
		}
		c.note(0, fmt.Sprintf("the store ended: %v", err))
		c.opt.Log.Error().Err(err).Dur("pause", pause).Msg("the store ended; starting it again")
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

func (c *Child) run(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, c.opt.Executable, append(append([]string{}, c.opt.Args...), c.flags()...)...)
	cmd.Env = append(os.Environ(), c.opt.Env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	pr, pw := io.Pipe()
	cmd.Stdout, cmd.Stderr = pw, pw
	var wg sync.WaitGroup
	wg.Go(func() { c.forward(pr) })
	// Pdeathsig is sent when the starting thread ends, so this goroutine keeps
	// its thread; it is given up with the child.
	started := make(chan error, 1)
	wg.Go(func() { started <- startAndWait(cmd, func(pid int) { c.note(pid, "") }) })
	err := <-started
	pw.Close()
	wg.Wait()
	return err
}

func (c *Child) forward(r io.Reader) {
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		c.opt.Log.Warn().Str("from", "store").Msg(sc.Text())
	}
}

func (c *Child) note(pid int, trouble string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pid, c.trouble = pid, trouble
	if pid != 0 {
		c.starts++
	}
}

// PID is the child's process id, 0 while it does not run; starts counts how
// often it was started.
func (c *Child) PID() (pid, starts int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pid, c.starts
}

// URL is where the child answers.
func (c *Child) URL() string { return "http://" + c.addr }

// Authorization is the value of the header that the child wants.
func (c *Child) Authorization() string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(childUser+":"+c.password))
}

func (c *Child) waitReady(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL()+"/health", nil)
		if err != nil {
			return fmt.Errorf("ask the store: %w", err)
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the store is not ready after %v: %w", d, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Reader reads from the child. What was written becomes readable to it at once,
// not after the ten seconds that VictoriaMetrics takes by itself.
func (c *Child) Reader() (*PromQL, error) {
	q, err := NewPromQL(c.URL(), c.Authorization())
	if err == nil {
		q.fresh = c.flush
	}
	return q, err
}

// flushEvery bounds how often readers make the child flush, and how old the
// newest reading can be that they see.
const flushEvery = 500 * time.Millisecond

// flush makes what was written readable. Several callers wait for one flush;
// when it fails they read what is there.
func (c *Child) flush(ctx context.Context) {
	c.flushing.Lock()
	defer c.flushing.Unlock()
	if time.Since(c.flushed) < flushEvery {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL()+"/internal/force_flush", nil)
	if err != nil {
		return
	}
	req.Header.Set("Authorization", c.Authorization())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.opt.Log.Debug().Err(err).Msg("flush the store")
		return
	}
	resp.Body.Close()
	c.flushed = time.Now()
}

// Stop ends the child and waits for it.
func (c *Child) Stop() {
	c.cancel()
	<-c.done
}
