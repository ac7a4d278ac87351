package smbclient

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"smbfs/smbclient/wire"
)

// TestNames is about what names: listings, lookups, stats, renames and removals, on every kind of protection.
func TestNames(t *testing.T) {
	server := startSmbd(t, "", "")
	for _, m := range []mode{{dialect: wire.Dialect210}, {dialect: wire.Dialect311, sign: true}, {dialect: wire.Dialect311, seal: true}} {
		t.Run(m.String(), func(t *testing.T) {
			server := &smbd{t: t, addr: server.addr, root: server.root, user: server.user}
			tree := server.tree(m.apply(server.config()))
			dir := filepath.Join(server.root, "names")
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			t.Run("list", func(t *testing.T) { checkList(t, tree, dir) })
			t.Run("lookup", func(t *testing.T) { checkLookup(t, tree, dir) })
			t.Run("stat", func(t *testing.T) { checkStat(t, tree, dir) })
			t.Run("rename", func(t *testing.T) { checkRename(t, tree, dir) })
			t.Run("remove", func(t *testing.T) { checkRemove(t, tree, dir) })
			t.Run("query", func(t *testing.T) { checkQuery(t, tree) })
		})
	}
}

func mustCreate(t *testing.T, tree *TreeConnect, name string, p CreateParams) *Open {
	t.Helper()
	o, err := tree.Create(testContext(t), name, p)
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	t.Cleanup(func() { _, _ = o.Close(testContext(t)) })
	return o
}

func checkList(t *testing.T, tree *TreeConnect, dir string) {
	sub := filepath.Join(dir, "many")
	if err := os.Mkdir(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	const count = 3000
	var want []string
	for i := range count {
		// Long names: the listing has to take more than one round trip.
		name := fmt.Sprintf("%04d-%s", i, strings.Repeat("n", 200))
		want = append(want, name)
		if err := os.WriteFile(filepath.Join(sub, name), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	o := mustCreate(t, tree, `names\many`, openDir)
	for range 2 { // a second listing starts anew
		entries, err := o.ReadDir(testContext(t), "")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range entries {
			got = append(got, e.Name)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("%d names", len(got))
		}
	}
	if again, entries, err := tree.CreateAndList(testContext(t), `names\many`, openDir, ""); err != nil || len(entries) != count {
		t.Fatalf("opened and listed at once: %d, %v", len(entries), err)
	} else if _, err := again.Close(testContext(t)); err != nil {
		t.Fatal(err)
	}
	few, err := o.ReadDir(testContext(t), "000?-nnn*") // no mangled name matches it
	if err != nil || len(few) != 10 {
		t.Fatalf("with a pattern: %d, %v", len(few), err)
	}
	if none, err := o.ReadDir(testContext(t), "zz*"); err != nil || len(none) != 0 {
		t.Fatalf("with a pattern that nothing matches: %d, %v", len(none), err)
	}
}

// checkLookup shows that in one compound every request's own name counts, present or not, in any order.
func checkLookup(t *testing.T, tree *TreeConnect, dir string) {
	var names []string
	for i := range 40 {
		name := fmt.Sprintf("Look%02d", i)
		names = append(names, name)
		if i%3 == 0 {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), make([]byte, i), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	slices.Reverse(names)
	o := mustCreate(t, tree, "names", openDir)
	for range 2 {
		results, err := o.Lookup(testContext(t), names, nil)
		if err != nil {
			t.Fatal(err)
		}
		for k, r := range results {
			i := 39 - k
			switch {
			case r.Err != nil:
				t.Errorf("%s: %v", names[k], r.Err)
			case i%3 == 0 && r.Entry != nil:
				t.Errorf("%s is not there, and was found as %s", names[k], r.Entry.Name)
			case i%3 != 0 && (r.Entry == nil || r.Entry.Name != names[k] || r.Entry.EndOfFile != uint64(i)):
				t.Errorf("%s: %+v", names[k], r.Entry)
			}
		}
	}
	results, err := o.Lookup(testContext(t), []string{"lOOK01", "a*", ""}, nil)
	if err != nil || results[0].Entry == nil || results[0].Entry.Name != "Look01" {
		t.Fatalf("true case: %+v, %v", results, err)
	}
	if !errors.Is(results[1].Err, ErrInvalidName) || !errors.Is(results[2].Err, ErrInvalidName) {
		t.Fatalf("names that cannot be looked up: %+v", results[1:])
	}
	if entries, err := o.ReadDir(testContext(t), ""); err != nil || len(entries) < 26 {
		t.Fatalf("listing after lookups: %d, %v", len(entries), err)
	}
}

func checkStat(t *testing.T, tree *TreeConnect, dir string) {
	ctx := testContext(t)
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, []byte("hello"), 0o644); err != nil {
		t.Fatal(err)
	}
	st, err := tree.Stat(ctx, `names\file`, false)
	if err != nil || st.EndOfFile != 5 || st.Directory || st.NumberOfLinks != 1 || st.FileID == 0 {
		t.Fatalf("%+v, %v", st, err)
	}
	local, err := os.Stat(path)
	if err != nil || st.LastWriteTime.Time().Unix() != local.ModTime().Unix() {
		t.Fatalf("time %v, on the server %v (%v)", st.LastWriteTime.Time(), local.ModTime(), err)
	}
	results, err := mustCreate(t, tree, "names", openDir).Lookup(ctx, []string{"file"}, nil)
	if err != nil || results[0].Entry == nil || results[0].Entry.FileID != st.FileID {
		t.Fatalf("the listing has another file id: %+v, %v", results, err)
	}
	o := mustCreate(t, tree, `names\file`, createFile)
	if open, err := o.Stat(ctx); err != nil || open.FileID != st.FileID || open.EndOfFile != 5 {
		t.Fatalf("through a handle: %+v, %v", open, err)
	}
	if _, err := tree.Stat(ctx, `names\nothing`, false); !errors.Is(err, fs.ErrNotExist) || !HasStatus(err, wire.StatusObjectNameNotFound) {
		t.Fatalf("of nothing: %v", err)
	}
	if _, err := tree.Stat(ctx, `nothing\nothing`, false); !HasStatus(err, wire.StatusObjectPathNotFound) {
		t.Fatalf("below nothing: %v", err)
	}
	fsInfo, err := tree.StatFS(ctx)
	if err != nil || fsInfo.TotalBlocks == 0 || fsInfo.BlockSize == 0 || fsInfo.MaxNameLength == 0 {
		t.Fatalf("statfs: %+v, %v", fsInfo, err)
	}
}

func checkRename(t *testing.T, tree *TreeConnect, dir string) {
	ctx := testContext(t)
	for _, name := range []string{"a", "b"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := tree.Rename(ctx, `names\a`, `names\b`, false); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("onto an existing name: %v", err)
	}
	if err := tree.Rename(ctx, `names\a`, `names\b`, true); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "b")); err != nil || string(got) != "a" {
		t.Fatalf("replaced: %q, %v", got, err)
	}
	if err := tree.Link(ctx, `names\b`, `names\c`, false); err != nil {
		t.Fatal(err)
	}
	if st, err := tree.Stat(ctx, `names\c`, false); err != nil || st.NumberOfLinks != 2 {
		t.Fatalf("linked: %+v, %v", st, err)
	}
	o := mustCreate(t, tree, `names\c`, createFile)
	if err := o.Rename(ctx, `names\d`, false); err != nil {
		t.Fatal(err)
	}
	if err := o.SetEndOfFile(ctx, 100); err != nil {
		t.Fatal(err)
	}
	when := wire.Filetime(132000000000000000)
	if err := o.SetBasicInfo(ctx, wire.FileBasicInformation{LastWriteTime: when}); err != nil {
		t.Fatal(err)
	}
	if st, err := o.Stat(ctx); err != nil || st.EndOfFile != 100 || st.LastWriteTime != when {
		t.Fatalf("set: %+v, %v", st, err)
	}
	last := Last{[]byte("the last bytes"), 100}
	basic := wire.FileBasicInformation{LastWriteTime: when + 10_000_000}
	st, n, err := o.SetAndStat(ctx, last, wire.ClassFileBasic, basic.Append(nil))
	if err != nil || n != len(last.Bytes) || st.EndOfFile != 114 || st.LastWriteTime != basic.LastWriteTime {
		t.Fatalf("written and set: %d bytes, %+v, %v", n, st, err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "d")); err != nil || string(b[100:]) != string(last.Bytes) {
		t.Fatalf("written: %q, %v", b, err)
	}
}

func checkRemove(t *testing.T, tree *TreeConnect, dir string) {
	ctx := testContext(t)
	if err := os.MkdirAll(filepath.Join(dir, "full", "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "gone"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		directory bool
		want      wire.Status
	}{
		{`names\full`, true, wire.StatusDirectoryNotEmpty},
		{`names\full`, false, wire.StatusFileIsADirectory},
		{`names\gone`, true, wire.StatusNotADirectory},
		{`names\full\sub`, true, wire.StatusSuccess},
		{`names\full`, true, wire.StatusSuccess},
		{`names\gone`, false, wire.StatusSuccess},
		{`names\gone`, false, wire.StatusObjectNameNotFound},
	} {
		err := tree.Remove(ctx, c.name, c.directory)
		if c.want == wire.StatusSuccess && err != nil || c.want != wire.StatusSuccess && !HasStatus(err, c.want) {
			t.Errorf("remove %s (directory %v): %v, want %v", c.name, c.directory, err, c.want)
		}
	}
	p := createFile
	p.Attributes = wire.AttributeReadonly
	o := mustCreate(t, tree, `names\readonly`, p)
	if _, err := o.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if err := tree.Remove(ctx, `names\readonly`, false); err != nil {
		t.Errorf("a read-only file: %v", err)
	}
}

func checkQuery(t *testing.T, tree *TreeConnect) {
	ctx := testContext(t)
	want := wire.SecurityOwner | wire.SecurityGroup | wire.SecurityDACL
	descriptor, err := tree.QueryFile(ctx, "names", wire.ReadControl, wire.InfoSecurity, 0, want, 64<<10)
	if err != nil || len(descriptor) < 20 || descriptor[0] != 1 { // MS-DTYP 2.4.6: Revision
		t.Fatalf("security descriptor of %d bytes, %v", len(descriptor), err)
	}
	if err := tree.SetSecurity(ctx, "names", wire.WriteDAC, wire.SecurityDACL, descriptor); err != nil {
		t.Fatal(err)
	}
	basic := wire.FileBasicInformation{LastWriteTime: 132000000000000000}
	if err := tree.SetFile(ctx, "names", wire.FileWriteAttributes, wire.ClassFileBasic, basic.Append(nil)); err != nil {
		t.Fatal(err)
	}
	o := mustCreate(t, tree, "names", openDir)
	if o.Info.LastWriteTime != basic.LastWriteTime || o.Action != wire.ActionOpened {
		t.Fatalf("%+v", o.Info)
	}
	if _, err := o.Ioctl(ctx, wire.FsctlGetReparsePoint, nil, 16<<10); !HasStatus(err, wire.StatusNotAReparsePoint) {
		t.Fatalf("reparse point of a directory: %v", err)
	}
}
