package fs

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"smbfs/smbclient"
)

// farDisk is a file that is written to, far away.
type farDisk struct {
	delay time.Duration
	err   error

	mu           sync.Mutex
	b            []byte // guarded by mu
	writes       int    // guarded by mu
	flying, most int    // guarded by mu
}

func (d *farDisk) writeAt(b []byte, off int64) error {
	d.mu.Lock()
	d.writes++
	d.flying++
	d.most = max(d.most, d.flying)
	d.mu.Unlock()
	time.Sleep(d.delay)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.flying--
	if d.err != nil {
		return d.err
	}
	if need := int(off) + len(b); need > len(d.b) {
		d.b = append(d.b, make([]byte, need-len(d.b))...)
	}
	copy(d.b[off:], b)
	return nil
}

func (d *farDisk) bytes() []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return bytes.Clone(d.b)
}

// behind returns what writes to the disk behind its caller, and how often that was dirty without having become clean.
func behind() (w *writeback, dirty *int) {
	dirty = new(int)
	return &writeback{
		memory: &behindMemory{},
		dirty:  func() { *dirty++ },
		clean:  func() { *dirty-- },
		sent:   func(error) {},
	}, dirty
}

func yes() bool { return true }

func mustWrite(t *testing.T, w *writeback, d *farDisk, b []byte, off int64) {
	t.Helper()
	if taken, err := w.write(context.Background(), d, b, off, yes); !taken || err != nil {
		t.Fatalf("write at %d: %v, %v", off, taken, err)
	}
}

// 4 KiB at a time, 20 ms from the server: one after the other they would take three minutes.
func TestWriteBehindASequence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &farDisk{delay: 20 * time.Millisecond}
		w, dirty := behind()
		want := make([]byte, 40<<20)
		for i := range want {
			want[i] = byte(i ^ i>>8 ^ i>>16)
		}
		began := time.Now()
		for off := 0; off < len(want); off += 4096 {
			mustWrite(t, w, d, want[off:off+4096], int64(off))
		}
		if err := w.flush(context.Background(), everything); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 200*time.Millisecond {
			t.Errorf("took %v", took)
		}
		if !bytes.Equal(d.bytes(), want) {
			t.Error("other bytes")
		}
		if d.most > behindMost || d.writes > 45 || *dirty != 0 || w.memory.used != 0 {
			t.Errorf("%d WRITEs, %d at a time, dirty %d, %d bytes held", d.writes, d.most, *dirty, w.memory.used)
		}
	})
}

// What nobody flushes is written after a while all the same.
func TestWriteBehindIsNotLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &farDisk{}
		w, _ := behind()
		mustWrite(t, w, d, []byte("abc"), 0)
		if _, dirty := w.wrote(); !dirty {
			t.Error("not dirty after a write")
		}
		time.Sleep(behindFor + time.Millisecond)
		synctest.Wait()
		if _, dirty := w.wrote(); dirty || string(d.bytes()) != "abc" {
			t.Errorf("the server has %q, dirty %v", d.bytes(), dirty)
		}
	})
}

// Writes here and there, over each other, of any size, end as if each had waited.
func TestWriteBehindAtRandom(t *testing.T) {
	for seed := range uint64(4) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			d := &farDisk{delay: 5 * time.Millisecond}
			w, dirty := behind()
			want := make([]byte, 3<<20)
			for range 400 {
				n := 1 + rnd.IntN([]int{10, 5000, 300_000}[rnd.IntN(3)])
				off := rnd.IntN(len(want) - n)
				b := bytes.Repeat([]byte{byte(rnd.Uint32())}, n)
				copy(want[off:], b)
				mustWrite(t, w, d, b, int64(off))
				switch rnd.IntN(10) {
				case 0:
					time.Sleep(time.Duration(rnd.IntN(200)) * time.Millisecond)
				case 1:
					if err := w.flush(context.Background(), extent{int64(off), int64(off + n)}); err != nil {
						t.Fatal(err)
					}
					if got := d.bytes(); !bytes.Equal(got[off:off+n], b) {
						t.Fatalf("seed %d: flushed %d bytes at %d, and the server has others", seed, n, off)
					}
				}
			}
			if err := w.flush(context.Background(), everything); err != nil {
				t.Fatal(err)
			}
			if got := d.bytes(); !bytes.Equal(got, want[:len(got)]) || *dirty != 0 || w.memory.used != 0 {
				t.Errorf("seed %d: other bytes, or dirty %d, or %d bytes held", seed, *dirty, w.memory.used)
			}
		})
	}
}

// A failure is told once to each handle that was open, and to none that is opened later.
func TestWriteBehindFails(t *testing.T) {
	full := errors.New("disk full")
	d := &farDisk{err: full}
	w, dirty := behind()
	l := &file{}
	l.back = writeback{memory: w.memory, dirty: w.dirty, clean: w.clean, sent: w.sent}
	one, two := &handle{file: l}, &handle{file: l}
	mustWrite(t, &l.back, d, []byte("abc"), 0)
	if err := l.back.flush(context.Background(), everything); err != nil {
		t.Fatal(err)
	}
	for _, h := range []*handle{one, two} {
		if err := h.failure(false); err != full {
			t.Errorf("at the next write: %v", err)
		}
		if err := h.failure(true); err != full {
			t.Errorf("at close: %v", err)
		}
		if err := h.failure(true); err != nil {
			t.Errorf("told twice: %v", err)
		}
	}
	late := &handle{file: l}
	late.seen, _ = l.back.failed(0)
	if err := late.failure(true); err != nil || *dirty != 0 {
		t.Errorf("told to who came later: %v; dirty %d", err, *dirty)
	}
}

// Once the lease is gone nothing more is taken.
func TestWriteBehindWithoutLease(t *testing.T) {
	d := &farDisk{}
	w, dirty := behind()
	taken, err := w.write(context.Background(), d, []byte("abc"), 0, func() bool { return false })
	if taken || err != nil || *dirty != 0 || d.writes != 0 {
		t.Errorf("taken %v, %v, dirty %d, %d WRITEs", taken, err, *dirty, d.writes)
	}
}

// What sets attributes comes after everything that was written, and takes the last of it along if that is little and all there is.
func TestWriteBehindAfter(t *testing.T) {
	for _, c := range []struct {
		name   string
		pieces int // of 20,000 bytes
		along  int // bytes that go along
		writes int // before that
	}{
		{"nothing", 0, 0, 0},
		{"a little", 1, 20_000, 0},
		{"as much as may", 3, 60_000, 0},
		{"more", 4, 0, 1},
		{"more than one WRITE", 60, 0, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &farDisk{delay: 20 * time.Millisecond}
				w, dirty := behind()
				for i := range c.pieces {
					mustWrite(t, w, d, make([]byte, 20_000), int64(i)*20_000)
				}
				began := *dirty
				err := w.after(context.Background(), d, func() { began = *dirty }, func(last smbclient.Last) error {
					if len(last.Bytes) != c.along || d.writes != c.writes || len(d.b)+c.along != c.pieces*20_000 {
						t.Errorf("%d bytes go along, after %d WRITEs of %d bytes", len(last.Bytes), d.writes, len(d.b))
					}
					time.Sleep(d.delay)
					if _, dirty := w.wrote(); dirty != (c.along > 0) {
						t.Errorf("on its way it is not on the server, or nothing is: %v", dirty)
					}
					return nil
				})
				if err != nil || began != 0 || *dirty != 0 || w.memory.used != 0 {
					t.Errorf("%v; dirty %d when it began and %d now, %d bytes held", err, began, *dirty, w.memory.used)
				}
			})
		})
	}
}

// A write that went along fails as any other: who closes is told. One that comes meanwhile does not, and is carried by another WRITE.
func TestWriteBehindAfterFails(t *testing.T) {
	full := errors.New("disk full")
	d := &farDisk{}
	w, dirty := behind()
	mustWrite(t, w, d, []byte("abc"), 0)
	err := w.after(context.Background(), d, func() {}, func(smbclient.Last) error {
		mustWrite(t, w, d, []byte("def"), 3)
		return full
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.failed(0); err != full {
		t.Errorf("at close: %v", err)
	}
	if err := w.flush(context.Background(), everything); err != nil || *dirty != 0 || string(d.bytes()[3:]) != "def" {
		t.Errorf("%v, dirty %d, %q", err, *dirty, d.bytes())
	}
}

// Many files at once hold no more than they may, and none waits for ever for the others.
func TestWriteBehindIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := &behindMemory{}
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				d := &farDisk{delay: 30 * time.Millisecond}
				w, _ := behind()
				w.memory = memory
				b := make([]byte, 100_000)
				for i := range 30 {
					mustWrite(t, w, d, b, int64(i*len(b)))
					memory.mu.Lock()
					if memory.used > behindTotal {
						t.Errorf("%d bytes are held", memory.used)
					}
					memory.mu.Unlock()
				}
				if err := w.flush(context.Background(), everything); err != nil || len(d.bytes()) != 30*len(b) {
					t.Errorf("%d bytes, %v", len(d.bytes()), err)
				}
			})
		}
		wg.Wait()
		if memory.used != 0 {
			t.Errorf("%d bytes are still held", memory.used)
		}
	})
}
