package replay

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

// BenchmarkMknod is a whole replayed create: the socket to the helper, the walk, LOOKUP
// and MKNOD through the kernel, the socket back. Each caller has a directory of its own.
func BenchmarkMknod(b *testing.B) {
	for _, workers := range []int{1, 4} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) { benchmarkMknod(b, workers) })
	}
}

func benchmarkMknod(b *testing.B, workers int) {
	mnt, err := os.MkdirTemp("", "replay-bench")
	if err != nil {
		b.Fatal(err)
	}
	defer os.Remove(mnt)
	fs := newMemFS(time.Hour)
	srv, err := serveMount(fs, mnt)
	if err != nil {
		b.Fatal(err)
	}
	defer srv.Unmount()
	for i := range workers {
		fs.add("d"+strconv.Itoa(i), dirMode)
	}
	h, err := startHelper(fs, mnt, Config{Workers: workers, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer h.Close()
	b.ResetTimer()
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() {
			for n := i; n < b.N; n += workers {
				c := Call{Op: Mknod, Dir: "d" + strconv.Itoa(i), Name: "f" + strconv.Itoa(n)}
				if err := h.Do(context.Background(), c, &c); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

// BenchmarkMknodNative is what the kernel and the handlers alone take: another process
// makes the same calls in a loop, by path.
func BenchmarkMknodNative(b *testing.B) {
	mnt, err := os.MkdirTemp("", "replay-bench")
	if err != nil {
		b.Fatal(err)
	}
	defer os.Remove(mnt)
	fs := newMemFS(time.Hour)
	srv, err := serveMount(fs, mnt)
	if err != nil {
		b.Fatal(err)
	}
	defer srv.Unmount()
	fs.setHelper(New(Config{})) // knows no worker
	fs.add("d0", dirMode)
	b.ResetTimer()
	out, err := self("replay-test-actor", "storm", mnt+"/d0/f", strconv.Itoa(b.N)).Output()
	if err != nil || string(out) != "ok\n" {
		b.Fatalf("%s, %v", out, err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

// BenchmarkWorker is what every request of an ordinary caller pays.
func BenchmarkWorker(b *testing.B) {
	h := New(Config{})
	p := &process{helper: h}
	for tid := range uint32(10) {
		nonce, _ := h.reg.await(&worker{process: p})
		h.Introduce(tid+1, nonce)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, worker := h.Worker(4711); worker {
				b.Error("an ordinary caller is taken for a worker")
			}
		}
	})
}
