package fs

import (
	"bytes"
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestSequence(t *testing.T) {
	const k = 128 << 10
	for _, c := range []struct {
		name string
		at   []int64 // in units of k, each request one long
		want []bool
	}{
		{"in order", []int64{0, 1, 2, 3}, []bool{false, false, true, true}},
		{"from the middle", []int64{70, 71, 72}, []bool{false, false, true}},
		{"two threads", []int64{0, 2, 1, 3, 5, 4}, []bool{false, false, false, true, false, true}},
		{"at random", []int64{500, 100, 900, 300, 700}, []bool{false, false, false, false, false}},
		{"backwards", []int64{900, 700, 500, 300, 100}, []bool{false, false, false, false, false}},
		{"a jump ends it", []int64{0, 1, 2, 900, 901, 902}, []bool{false, false, true, false, false, true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s sequence
			for i, n := range c.at {
				if got := s.add(extent{n * k, (n + 1) * k}); got != c.want[i] {
					t.Errorf("request %d at %d: %v, want %v", i, n, got, c.want[i])
				}
			}
		})
	}
}

// farFile is a file whose server takes a while for each answer.
type farFile struct {
	delay time.Duration

	mu           sync.Mutex
	b            []byte // guarded by mu
	reads        int    // guarded by mu
	flying, most int    // guarded by mu
}

func newFarFile(size int, delay time.Duration) *farFile {
	f := &farFile{delay: delay, b: make([]byte, size)}
	for i := range f.b {
		f.b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return f
}

func (f *farFile) ReadAt(ctx context.Context, b []byte, off int64) (int, error) {
	f.mu.Lock()
	n := copy(b, f.b[off:]) // what the server has when it is asked
	f.reads++
	f.flying++
	f.most = max(f.most, f.flying)
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.flying--
	}()
	select {
	case <-time.After(f.delay):
		return n, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func (f *farFile) content() content { return content{int64(len(f.b)), 1} }

// ahead returns what keeps a reader of f ahead, and a READ that asks the server where it has to.
func (f *farFile) ahead(t *testing.T) (*readahead, func(off int64, n int) []byte) {
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	a := &readahead{memory: &aheadMemory{ctx: ctx}, hold: func() readAt { return f.ReadAt }}
	return a, func(off int64, n int) []byte {
		if r := a.serve(ctx, extent{off, off + int64(n)}, f.content()); r != nil {
			defer r.Done()
			b, _ := r.Bytes(nil)
			return b
		}
		b := make([]byte, n)
		n, _ = f.ReadAt(ctx, b, off)
		return b[:n]
	}
}

// A reader of 128 KiB at a time, 20 ms from the server: one request at a time would take 10 s.
func TestReadAheadOfASequence(t *testing.T) {
	f := newFarFile(64<<20+12345, 20*time.Millisecond)
	synctest.Test(t, func(t *testing.T) {
		a, read := f.ahead(t)
		began := time.Now()
		for off := int64(0); off < int64(len(f.b)); {
			b := read(off, 128<<10)
			if !bytes.Equal(b, f.b[off:off+int64(len(b))]) {
				t.Fatalf("other bytes at %d", off)
			}
			off += int64(len(b))
			time.Sleep(200 * time.Microsecond) // a reader of 600 MiB/s
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("took %v", took)
		}
		if f.most > aheadMost/aheadStep+1 {
			t.Errorf("%d READs in flight", f.most)
		}
		a.close()
		if n := a.memory.used.Load(); n != 0 {
			t.Errorf("%d bytes are still held", n)
		}
	})
}

func TestReadAheadLeavesRandomReadsAlone(t *testing.T) {
	f := newFarFile(64<<20, 0)
	a, read := f.ahead(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		off := rnd.Int64N(int64(len(f.b)-4096)) &^ 4095
		if b := read(off, 4096); !bytes.Equal(b, f.b[off:off+4096]) {
			t.Fatalf("other bytes at %d", off)
		}
	}
	a.close()
	if f.reads > 1010 {
		t.Errorf("%d READs for 1000", f.reads)
	}
}

// What was asked for before a change is told is not given to a READ after it, though it arrives later.
func TestReadAheadDropsWhatChanged(t *testing.T) {
	f := newFarFile(16<<20, 20*time.Millisecond)
	synctest.Test(t, func(t *testing.T) {
		a, read := f.ahead(t)
		off := int64(0)
		for range 4 {
			off += int64(len(read(off, 128<<10)))
		}
		f.mu.Lock()
		for i := range f.b {
			f.b[i] = 'x'
		}
		f.mu.Unlock()
		a.changed()
		for off < int64(len(f.b)) {
			b := read(off, 128<<10)
			if i := bytes.IndexFunc(b, func(r rune) bool { return r != 'x' }); i >= 0 {
				t.Fatalf("the old content at %d", off+int64(i))
			}
			off += int64(len(b))
		}
		a.close()
	})
}

// A time or size that is new is a change, too.
func TestReadAheadUnderAnotherStamp(t *testing.T) {
	f := newFarFile(4<<20, 0)
	a, read := f.ahead(t)
	defer a.close()
	off := int64(0)
	for range 4 {
		off += int64(len(read(off, 128<<10)))
	}
	x := extent{off, off + 128<<10}
	if r := a.serve(t.Context(), x, content{int64(len(f.b)), 2}); r != nil {
		r.Done()
		t.Error("answered from what was read before")
	}
}

// Many readers at once hold no more than they may, and all get what they ask for.
func TestReadAheadIsBounded(t *testing.T) {
	f := newFarFile(16<<20, time.Millisecond)
	ctx := t.Context()
	memory := &aheadMemory{ctx: ctx}
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			a := &readahead{memory: memory, hold: func() readAt { return f.ReadAt }}
			defer a.close()
			b := make([]byte, 1<<20)
			for off := int64(0); off < int64(len(f.b)); off += 1 << 20 {
				if n := memory.used.Load(); n > aheadTotal+12*aheadStep { // who asks counts before it is refused
					t.Errorf("%d bytes are held", n)
				}
				if r := a.serve(ctx, extent{off, off + 1<<20}, f.content()); r != nil {
					got, _ := r.Bytes(b)
					if !bytes.Equal(got, f.b[off:off+int64(len(got))]) {
						t.Errorf("other bytes at %d", off)
					}
					r.Done()
				}
			}
		})
	}
	wg.Wait()
	if n := memory.used.Load(); n != 0 {
		t.Errorf("%d bytes are still held", n)
	}
}
