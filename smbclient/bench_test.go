package smbclient

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"smbfs/smbclient/wire"
)

// BenchmarkRead reads with four ReadAt of 1 MiB at a time, on each kind of protection.
func BenchmarkRead(b *testing.B) {
	benchmarkIO(b, func(ctx context.Context, o *Open, p []byte, off int64) error {
		_, err := o.ReadAt(ctx, p, off)
		return err
	})
}

// BenchmarkWrite does the same with WriteAt.
func BenchmarkWrite(b *testing.B) {
	benchmarkIO(b, func(ctx context.Context, o *Open, p []byte, off int64) error {
		_, err := o.WriteAt(ctx, p, off)
		return err
	})
}

const benchSize = 256 << 20

func benchmarkIO(b *testing.B, op func(context.Context, *Open, []byte, int64) error) {
	server := startSmbd(b, "", "")
	if err := os.WriteFile(filepath.Join(server.root, "bench"), make([]byte, benchSize), 0o644); err != nil {
		b.Fatal(err)
	}
	for _, m := range []mode{{dialect: wire.Dialect210}, {dialect: wire.Dialect311}, {dialect: wire.Dialect210, sign: true},
		{dialect: wire.Dialect302, sign: true}, {dialect: wire.Dialect311, sign: true}, {dialect: wire.Dialect311, seal: true}} {
		b.Run(m.String(), func(b *testing.B) {
			server := &smbd{t: b, addr: server.addr, root: server.root, user: server.user}
			o, err := server.tree(m.apply(server.config())).Create(context.Background(), "bench", createFile)
			if err != nil {
				b.Fatal(err)
			}
			const unit, streams = 1 << 20, 4
			b.SetBytes(unit)
			b.ReportAllocs()
			next := make(chan int64)
			var wg sync.WaitGroup
			for range streams {
				wg.Go(func() {
					p := make([]byte, unit)
					for off := range next {
						if err := op(context.Background(), o, p, off); err != nil {
							b.Error(err)
						}
					}
				})
			}
			for i := 0; b.Loop(); i++ {
				next <- int64(i) * unit % benchSize
			}
			close(next)
			wg.Wait()
		})
	}
}

// BenchmarkSmall is about requests that carry little: the cost of a request itself.
func BenchmarkSmall(b *testing.B) {
	server := startSmbd(b, "", "")
	if err := os.WriteFile(filepath.Join(server.root, "small"), make([]byte, 64<<10), 0o644); err != nil {
		b.Fatal(err)
	}
	tree := server.tree(server.config())
	o, err := tree.Create(context.Background(), "small", createFile)
	if err != nil {
		b.Fatal(err)
	}
	for _, parallel := range []int{1, 16} {
		b.Run(fmt.Sprintf("read4k-%d", parallel), func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(parallel)
			b.RunParallel(func(pb *testing.PB) {
				p := make([]byte, 4<<10)
				for pb.Next() {
					if _, err := o.ReadAt(context.Background(), p, 0); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
	b.Run("stat", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := tree.Stat(context.Background(), "small", false); err != nil {
				b.Fatal(err)
			}
		}
	})
}
