package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
	"unsafe"

	"smbfs/integration/testenv"
	"smbfs/smbclient"
	"smbfs/smbclient/auth"
	"smbfs/smbclient/wire"
)

// smallSize is the size of small reads and writes: a page.
const smallSize = 4 << 10

// file is what random access goes to.
type file interface {
	ReadAt(p []byte, off int64) (int, error)
	WriteAt(p []byte, off int64) (int, error)
}

// random measures reads and writes of a page at random places, at a depth of 1 and of 16, past the page cache.
func (b *bench) random() error {
	if err := os.WriteFile(b.samba.Path("big"), make([]byte, b.randomBytes()), 0o644); err != nil {
		return err
	}
	defer os.Remove(b.samba.Path("big"))
	const library = "our library, no FUSE"
	return b.compare([]line{
		{"random 4 KiB reads, depth 1", "ops/s", nil},
		{"random 4 KiB reads, depth 16", "ops/s", map[string]float64{library: 0.8}},
		{"random 4 KiB writes, depth 1", "ops/s", nil},
		{"random 4 KiB writes, depth 16", "ops/s", nil},
	}, b.randomAt(onSmbfs("smbfs")), side{library, b.randomLibrary}, side{goSMB2Name, b.randomGoSMB2}, b.randomAt(onMemory))
}

// randomBytes is the size of the file that random access goes to.
func (b *bench) randomBytes() int64 { return min(b.bytes, 256<<20) }

// randomAt is the side that has fio do all four kinds at a place.
func (b *bench) randomAt(p place) side {
	return side{p.name, func() (figures []float64, err error) {
		err = p.use(b, func(dir string) error {
			for _, kind := range []string{"randread", "randwrite"} {
				for _, depth := range []int{1, 16} {
					rate, err := b.fio(filepath.Join(dir, "big"), kind, depth)
					if err != nil {
						return err
					}
					figures = append(figures, rate)
				}
			}
			return nil
		})
		return figures, err
	}}
}

// fio does b.ops operations, in as many threads as depth, and gives how many a second. A Go program would have to find another thread each time
// that one waits for the kernel, and that is what would be measured.
func (b *bench) fio(file, kind string, depth int) (float64, error) {
	out, err := exec.Command("fio", "--name=pages", "--filename="+file, "--rw="+kind, fmt.Sprintf("--bs=%d", smallSize), "--direct=1",
		"--ioengine=psync", "--thread", fmt.Sprintf("--numjobs=%d", depth), "--group_reporting", "--norandommap", "--randrepeat=0",
		fmt.Sprintf("--size=%d", b.randomBytes()), fmt.Sprintf("--io_size=%d", b.ops/depth*smallSize), "--output-format=json").Output()
	if err != nil {
		return 0, fmt.Errorf("fio: %w", err)
	}
	var report struct {
		Jobs []struct {
			Read, Write struct{ IOPS float64 }
		}
	}
	if err := json.Unmarshal(out, &report); err != nil || len(report.Jobs) != 1 {
		return 0, fmt.Errorf("fio's report has %d groups of jobs: %v", len(report.Jobs), err)
	}
	return report.Jobs[0].Read.IOPS + report.Jobs[0].Write.IOPS, nil
}

func (b *bench) randomLibrary() (figures []float64, err error) {
	err = b.library(func(ctx context.Context, tree *smbclient.TreeConnect) error {
		o, err := tree.Create(ctx, "big", smbclient.CreateParams{
			Access: wire.FileReadData | wire.FileWriteData, Share: wire.ShareAll, Disposition: wire.DispositionOpen,
		})
		if err != nil {
			return err
		}
		defer o.Close(ctx)
		figures, err = b.randomly(libraryFile{ctx, o})
		return err
	})
	return figures, err
}

func (b *bench) randomGoSMB2() (figures []float64, err error) {
	p, err := testenv.DialPeer(b.samba)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	f, err := p.OpenFile("big", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return b.randomly(f)
}

// randomly does all four kinds.
func (b *bench) randomly(f file) ([]float64, error) {
	var figures []float64
	for _, do := range []func([]byte, int64) (int, error){f.ReadAt, f.WriteAt} {
		for _, depth := range []int{1, 16} {
			rate, err := b.pages(do, depth)
			if err != nil {
				return nil, err
			}
			figures = append(figures, rate)
		}
	}
	return figures, nil
}

// pages does b.ops operations, depth at a time, and gives how many a second.
func (b *bench) pages(do func([]byte, int64) (int, error), depth int) (float64, error) {
	pages := b.randomBytes() / smallSize
	errs := make(chan error, depth)
	var wg sync.WaitGroup
	start := time.Now()
	for range depth {
		wg.Go(func() {
			buf := aligned(smallSize)
			for range b.ops / depth {
				if n, err := do(buf, rand.Int64N(pages)*smallSize); err != nil || n != smallSize {
					errs <- fmt.Errorf("%d bytes of a page: %w", n, err)
					return
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(start)
	select {
	case err := <-errs:
		return 0, err
	default:
		return float64(b.ops/depth*depth) / took.Seconds(), nil
	}
}

// aligned is memory that begins at a page, as O_DIRECT wants it.
func aligned(n int) []byte {
	b := make([]byte, n+smallSize)
	skip := -int(uintptr(unsafe.Pointer(&b[0]))) & (smallSize - 1)
	return b[skip : skip+n]
}

// smallWrites measures small writes one after the other, the close included.
func (b *bench) smallWrites() error {
	bytes := b.bytes / 16
	write := func(dir string) ([]float64, error) {
		defer os.Remove(b.samba.Path("written"))
		rate, err := writePieces(filepath.Join(dir, "written"), bytes, smallSize)
		return []float64{rate}, err
	}
	nothing := func() (func(), error) { return func() {}, nil }
	var sides []side
	for _, p := range []place{onSmbfs("smbfs"), onMemory, onRclone, onDisk} {
		sides = append(sides, b.doing(p, nothing, write))
	}
	return b.compare([]line{{"sequential 4 KiB writes", "MiB/s", map[string]float64{memoryName: 0.8, onRclone.name: 1}}}, sides...)
}

// writePieces writes a file in pieces of n bytes and gives MiB/s.
func writePieces(name string, bytes int64, n int) (float64, error) {
	start := time.Now()
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return 0, err
	}
	piece := make([]byte, n)
	for done := int64(0); done < bytes; done += int64(n) {
		if _, err := f.Write(piece); err != nil {
			f.Close()
			return 0, err
		}
	}
	err = f.Close()
	return rate(bytes, time.Since(start)), err
}

// library runs work on a connection of our own library's, signed as a mount is.
func (b *bench) library(work func(context.Context, *smbclient.TreeConnect) error) error {
	ctx := context.Background()
	session, err := smbclient.Connect(ctx, smbclient.Config{
		Address: b.samba.Addr(), Sign: true,
		Credentials: auth.Credentials{User: b.samba.User, Password: auth.NewSecret(b.samba.Password)},
	})
	if err != nil {
		return err
	}
	defer session.Close()
	tree, err := session.TreeConnect(ctx, b.samba.Share)
	if err != nil {
		return err
	}
	return work(ctx, tree)
}

// libraryFile is an open file of our library's.
type libraryFile struct {
	ctx context.Context
	o   *smbclient.Open
}

// ReadAt implements file.
func (f libraryFile) ReadAt(p []byte, off int64) (int, error) { return f.o.ReadAt(f.ctx, p, off) }

// WriteAt implements file.
func (f libraryFile) WriteAt(p []byte, off int64) (int, error) { return f.o.WriteAt(f.ctx, p, off) }
