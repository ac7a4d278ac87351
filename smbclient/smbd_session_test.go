package smbclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"smbfs/smbclient/auth"
	"smbfs/smbclient/wire"
)

func TestRefused(t *testing.T) {
	server := startSmbd(t, " server max protocol = SMB3_00", "")
	for name, c := range map[string]struct {
		change func(*Config)
		check  func(error) bool
	}{
		"wrong password": {
			func(cfg *Config) { cfg.Credentials.Password = auth.NewSecret("wrong") },
			func(err error) bool {
				return HasStatus(err, wire.StatusLogonFailure) && errors.Is(err, fs.ErrPermission)
			},
		},
		"unknown user": {
			func(cfg *Config) { cfg.Credentials.User = "nobody-of-that-name" },
			func(err error) bool { return HasStatus(err, wire.StatusLogonFailure) },
		},
		"dialect": {
			func(cfg *Config) { cfg.MinDialect = wire.Dialect311 },
			func(err error) bool { return errors.Is(err, ErrDialect) },
		},
		"no dialect": {
			func(cfg *Config) { cfg.MinDialect, cfg.MaxDialect = wire.Dialect311, wire.Dialect210 },
			func(err error) bool { return errors.Is(err, ErrDialect) },
		},
		"seal with 2.1": {
			func(cfg *Config) { cfg.Seal, cfg.MaxDialect = true, wire.Dialect210 },
			func(err error) bool { return errors.Is(err, ErrNoEncryption) },
		},
		"nobody listens": {
			func(cfg *Config) { cfg.Address = "127.0.0.1:1" },
			func(err error) bool { var op *net.OpError; return errors.As(err, &op) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := server.config()
			c.change(&cfg)
			s, err := Connect(testContext(t), cfg)
			if err == nil {
				s.Close()
			}
			if !c.check(err) {
				t.Fatalf("got %v", err)
			}
			if bytes.Contains([]byte(err.Error()), []byte(smbdPassword)) {
				t.Fatal("the error tells the password")
			}
		})
	}
	session := server.connect(server.config())
	if session.conn.Dialect() != wire.Dialect300 {
		t.Fatalf("dialect %v", session.conn.Dialect())
	}
	if _, err := session.TreeConnect(testContext(t), "nothing"); !HasStatus(err, wire.StatusBadNetworkName) {
		t.Fatalf("unknown share: %v", err)
	}
}

// TestDemanded is about protection that the server asks for.
func TestDemanded(t *testing.T) {
	server := startSmbd(t, " server signing = mandatory", "")
	session := server.connect(server.config())
	if !session.signRequired || session.sealRequired {
		t.Fatalf("signing %q, encryption %q", session.Signing(), session.Encryption())
	}
	tree, err := session.TreeConnect(testContext(t), "crypt")
	if err != nil {
		t.Fatal(err)
	}
	if !tree.seal {
		t.Fatal("the share demands encryption")
	}
	o := mustCreate(t, tree, "f", createFile)
	data := bytes.Repeat([]byte("0123456789"), 300_000)
	if _, err := o.WriteAt(testContext(t), data, 7); err != nil {
		t.Fatal(err)
	}
	back := make([]byte, len(data))
	if _, err := o.ReadAt(testContext(t), back, 7); err != nil || !bytes.Equal(back, data) {
		t.Fatalf("read: %v", err)
	}
	cfg := server.config()
	cfg.MaxDialect = wire.Dialect210
	if _, err := server.connect(cfg).TreeConnect(testContext(t), "crypt"); err == nil {
		t.Fatal("a share that demands encryption was given without")
	}
}

// TestTwoConnections shows that connections have nothing in common: what one watches the other changes, and the end of one is not
// the end of the other.
func TestTwoConnections(t *testing.T) {
	server := startSmbd(t, "", "")
	worker, watcher := server.tree(server.config()), server.tree(server.config())
	dir := mustCreate(t, watcher, "", openDir)
	told := make(chan []wire.NotifyEvent, 100)
	end := sync.OnceFunc(func() { close(told) }) // a request that was on its way when the connection ended has failed, and ended too
	var next func(*NotifyRequest)
	next = func(n *NotifyRequest) {
		if _, err := dir.StartChangeNotify(context.Background(), NotifyParams{}, next); err != nil {
			end()
			return
		}
		if events, err := n.Result(); err == nil {
			told <- events
		}
	}
	n, err := dir.StartChangeNotify(testContext(t), NotifyParams{}, next)
	if err != nil {
		t.Fatal(err)
	}
	<-n.Pending()
	for _, name := range []string{"one", "two", "three"} {
		mustCreate(t, worker, name, createFile)
		waitFor(t, told, wire.NotifyEvent{Action: wire.ActionAdded, Name: name})
	}
	watcher.session.Close()
	for range told { // ends when the last callback finds the connection closed
	}
	if _, err := dir.Stat(testContext(t)); !errors.Is(err, net.ErrClosed) {
		t.Fatalf("on a closed connection: %v", err)
	}
	if _, err := worker.Stat(testContext(t), "one", false); err != nil {
		t.Fatal(err)
	}
}

func waitFor(t *testing.T, told <-chan []wire.NotifyEvent, want wire.NotifyEvent) {
	t.Helper()
	for {
		select {
		case events := <-told:
			for _, e := range events {
				if e == want {
					return
				}
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("not told: %v", want)
		}
	}
}

func TestCancelNotify(t *testing.T) {
	server := startSmbd(t, "", "")
	for _, m := range []mode{{dialect: wire.Dialect210, sign: true}, {dialect: wire.Dialect311, sign: true}, {dialect: wire.Dialect311, seal: true}} {
		t.Run(m.String(), func(t *testing.T) {
			server := &smbd{t: t, addr: server.addr, root: server.root, user: server.user}
			tree := server.tree(m.apply(server.config()))
			dir := mustCreate(t, tree, "", openDir)
			available, inFlight := tree.session.conn.credit.owned()
			for range 10 {
				cancelOne(t, dir)
			}
			ctx, cancel := context.WithTimeoutCause(context.Background(), 20*time.Millisecond, errors.New("enough"))
			defer cancel()
			if _, err := dir.ChangeNotify(ctx, 0, false, 0); err == nil || !errors.Is(err, context.Cause(ctx)) {
				t.Fatalf("got %v", err)
			}
			if err := tree.session.conn.Echo(testContext(t)); err != nil {
				t.Fatal(err)
			}
			eventually(t, func() bool {
				a, f := tree.session.conn.credit.owned()
				return a+f >= available+inFlight && f == 0
			})
		})
	}
}

func cancelOne(t *testing.T, dir *Open) {
	t.Helper()
	n, err := dir.StartChangeNotify(testContext(t), NotifyParams{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	<-n.Pending()
	n.Cancel()
	select {
	case <-n.Done():
	case <-time.After(20 * time.Second):
		t.Fatal("the server does not answer CANCEL")
	}
	if _, err := n.Result(); !HasStatus(err, wire.StatusCancelled) {
		t.Fatalf("got %v", err)
	}
}

// eventually waits for a condition.
func eventually(t testing.TB, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("does not come true")
		}
	}
}

// TestNotifyOff is a server without notifications.
func TestNotifyOff(t *testing.T) {
	server := startSmbd(t, " change notify = no", "")
	dir := mustCreate(t, server.tree(server.config()), "", openDir)
	if _, err := dir.ChangeNotify(testContext(t), 0, false, 0); !HasStatus(err, wire.StatusNotImplemented) {
		t.Fatalf("got %v", err)
	}
}

// TestNotifyOverflow is more changes than the server remembers.
func TestNotifyOverflow(t *testing.T) {
	server := startSmbd(t, "", "")
	dir := mustCreate(t, server.tree(server.config()), "", openDir)
	n, err := dir.StartChangeNotify(testContext(t), NotifyParams{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	<-n.Pending()
	stop := make(chan struct{})
	go touch(filepath.Join(server.root, "first"), stop)
	if _, err := n.Wait(testContext(t)); err != nil {
		t.Fatal(err)
	}
	close(stop)
	eventually(t, func() bool { // a server that is slow to hear of them has not forgotten any yet when it is asked
		for i := range 3000 {
			if err := os.WriteFile(filepath.Join(server.root, fmt.Sprint(time.Now().UnixNano(), i)), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		_, err := dir.ChangeNotify(testContext(t), 0, false, 0)
		if err != nil && !errors.Is(err, ErrNotifyEnumDir) {
			t.Fatal(err)
		}
		return err != nil
	})
}

// TestAnonymous is a share for everybody, and a server that takes whom it does not know for a guest.
func TestAnonymous(t *testing.T) {
	server := startSmbd(t, " map to guest = bad user\n guest account = root", " guest ok = yes")
	for name, credentials := range map[string]auth.Credentials{
		"anonymous": {Anonymous: true},
		"guest":     {Guest: true},
		"unknown":   {Guest: true, User: "nobody-of-that-name", Password: auth.NewSecret("any")},
	} {
		t.Run(name, func(t *testing.T) {
			server := &smbd{t: t, addr: server.addr, root: server.root, user: server.user}
			cfg := server.config()
			cfg.Credentials = credentials
			tree := server.tree(cfg)
			if !tree.session.Guest() {
				t.Fatal("not a guest")
			}
			if _, err := mustCreate(t, tree, "", openDir).ReadDir(testContext(t), ""); err != nil {
				t.Fatal(err)
			}
		})
	}
	cfg := server.config()
	cfg.Credentials.User = "nobody-of-that-name"
	if _, err := Connect(testContext(t), cfg); !errors.Is(err, ErrGuest) {
		t.Fatalf("a guest against his will: %v", err)
	}
}

// TestManyNotifications keeps a request outstanding on each of many directories, with no goroutine for any of them.
func TestManyNotifications(t *testing.T) {
	const count = 1000
	server := startSmbd(t, "", "")
	for i := range count {
		if err := os.Mkdir(filepath.Join(server.root, fmt.Sprint(i)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	tree := server.tree(server.config())
	before := runtime.NumGoroutine()
	told := make(chan string, count)
	for i := range count {
		name := fmt.Sprint(i)
		_, n, err := tree.CreateAndNotify(testContext(t), name, openDir, NotifyParams{}, func(n *NotifyRequest) {
			if _, err := n.Result(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			told <- n.Open().Name()
		})
		if err != nil {
			t.Fatal(err)
		}
		<-n.Pending()
	}
	if extra := runtime.NumGoroutine() - before; extra > 20 {
		t.Fatalf("%d goroutines more", extra)
	}
	// A change by another client is told at once, armed or not.
	other := server.tree(server.config())
	for i := range count {
		o, err := other.Create(testContext(t), fmt.Sprintf(`%d\f`, i), createFile)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.Close(testContext(t)); err != nil {
			t.Fatal(err)
		}
	}
	seen := make(map[string]bool)
	for range count {
		select {
		case name := <-told:
			seen[name] = true
		case <-time.After(30 * time.Second):
			t.Fatalf("%d of %d were told", len(seen), count)
		}
	}
	if len(seen) != count {
		t.Fatalf("%d of %d were told", len(seen), count)
	}
}
