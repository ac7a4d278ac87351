package smbclient

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"smbfs/smbclient/wire"
)

// modes are the terms on which the same tests run.
type mode struct {
	dialect    wire.Dialect
	sign, seal bool
}

func (m mode) String() string {
	switch {
	case m.seal:
		return m.dialect.String() + "-sealed"
	case m.sign:
		return m.dialect.String() + "-signed"
	}
	return m.dialect.String() + "-plain"
}

func allModes() []mode {
	var list []mode
	for _, d := range allDialects {
		list = append(list, mode{dialect: d}, mode{dialect: d, sign: true})
		if d >= wire.Dialect300 {
			list = append(list, mode{dialect: d, seal: true})
		}
	}
	return list
}

func (m mode) apply(cfg Config) Config {
	cfg.MinDialect, cfg.MaxDialect, cfg.Sign, cfg.Seal = m.dialect, m.dialect, m.sign, m.seal
	return cfg
}

var createFile = CreateParams{
	Access:      wire.FileReadData | wire.FileWriteData | wire.FileReadAttributes | wire.FileWriteAttributes | wire.Delete | wire.Synchronize,
	Share:       wire.ShareAll,
	Disposition: wire.DispositionOpenIf,
	Options:     wire.OptionNonDirectoryFile,
}

var openDir = CreateParams{
	Access:      wire.FileListDirectory | wire.FileReadAttributes | wire.Synchronize,
	Share:       wire.ShareAll,
	Disposition: wire.DispositionOpen,
	Options:     wire.OptionDirectoryFile,
}

func TestModes(t *testing.T) {
	server := startSmbd(t, "", "")
	for _, m := range allModes() {
		t.Run(m.String(), func(t *testing.T) {
			server := &smbd{t: t, addr: server.addr, root: server.root, user: server.user}
			tree := server.tree(m.apply(server.config()))
			if got := tree.session.conn.Dialect(); got != m.dialect {
				t.Fatalf("dialect %v", got)
			}
			checkProtection(t, m, tree)
			checkRoundTrip(t, server, tree)
			checkNotify(t, server, tree)
			if err := tree.Disconnect(testContext(t)); err != nil {
				t.Errorf("disconnect: %v", err)
			}
			if err := tree.session.Logoff(testContext(t)); err != nil {
				t.Errorf("logoff: %v", err)
			}
		})
	}
}

func checkProtection(t *testing.T, m mode, tree *TreeConnect) {
	s := tree.session
	if s.signRequired != m.sign || s.sealRequired != m.seal || s.signer == nil {
		t.Fatalf("signing %q, encryption %q", s.Signing(), s.Encryption())
	}
}

// checkRoundTrip writes 64 MiB and reads them back.
func checkRoundTrip(t *testing.T, server *smbd, tree *TreeConnect) {
	ctx := testContext(t)
	const size = 64<<20 + 12345
	data := make([]byte, size)
	_, _ = rand.Read(data)
	o, err := tree.Create(ctx, "big", createFile)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := o.WriteAt(ctx, data, 0); n != size || err != nil {
		t.Fatalf("write: %d, %v", n, err)
	}
	if err := o.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	want := sha256.Sum256(data)
	onServer, err := os.ReadFile(filepath.Join(server.root, "big"))
	if err != nil || sha256.Sum256(onServer) != want {
		t.Fatalf("the server has other data (%v)", err)
	}
	back := make([]byte, size+100)
	if n, err := o.ReadAt(ctx, back, 0); n != size || err != io.EOF {
		t.Fatalf("read: %d, %v", n, err)
	}
	if sha256.Sum256(back[:size]) != want {
		t.Fatal("other data were read")
	}
	if n, err := o.ReadAt(ctx, back[:100], size); n != 0 || err != io.EOF {
		t.Fatalf("read at the end: %d, %v", n, err)
	}
	info, err := o.Close(ctx)
	if err != nil || !info.Valid || info.EndOfFile != size {
		t.Fatalf("close: %+v, %v", info, err)
	}
	if _, err := o.ReadAt(ctx, back[:1], 0); !errors.Is(err, fs.ErrClosed) {
		t.Fatalf("read after close: %v", err)
	}
	if err := tree.Remove(ctx, "big", false); err != nil {
		t.Fatal(err)
	}
}

func checkNotify(t *testing.T, server *smbd, tree *TreeConnect) {
	ctx := testContext(t)
	dir, err := tree.Create(ctx, "", openDir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = dir.Close(ctx) }()
	n, err := dir.StartChangeNotify(ctx, NotifyParams{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	<-n.Pending()
	// Pending is not armed: the change is made again until it is told.
	stop := make(chan struct{})
	defer close(stop)
	go touch(filepath.Join(server.root, "told"), stop)
	events, err := n.Wait(ctx)
	if err != nil || len(events) == 0 || events[0].Name != "told" {
		t.Fatalf("notify: %v, %v", events, err)
	}
}

// touch makes and removes a file until stop is closed.
func touch(path string, stop <-chan struct{}) {
	for {
		_ = os.WriteFile(path, nil, 0o644)
		_ = os.Remove(path)
		select {
		case <-stop:
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}
