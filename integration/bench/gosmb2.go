package main

import (
	"io"
	"os"
	"time"

	"smbfs/integration/testenv"
)

// goSMB2Name is the other Go library there is.
const goSMB2Name = "go-smb2 library"

// goSMB2Side reads and writes the large file with it.
func (b *bench) goSMB2Side(src string) side {
	return side{goSMB2Name, func() ([]float64, error) {
		p, err := testenv.DialPeer(b.samba)
		if err != nil {
			return nil, err
		}
		defer p.Close()
		read, err := b.timed(func() error {
			f, err := p.Open("big")
			if err != nil {
				return err
			}
			defer f.Close()
			return pump(io.Discard, f)
		})
		if err != nil {
			return nil, err
		}
		defer os.Remove(b.samba.Path("written"))
		write, err := b.timed(func() error {
			in, err := os.Open(src)
			if err != nil {
				return err
			}
			defer in.Close()
			f, err := p.Create("written")
			if err != nil {
				return err
			}
			if err := pump(f, in); err != nil {
				return err
			}
			return f.Close()
		})
		return []float64{read, untried, write}, err
	}}
}

// pump copies in pieces of ioSize.
func pump(to io.Writer, from io.Reader) error {
	_, err := io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, ioSize))
	return err
}

// timed gives MiB/s of work on the whole of the large file.
func (b *bench) timed(work func() error) (float64, error) {
	if err := b.fetch(); err != nil {
		return 0, err
	}
	start := time.Now()
	err := work()
	return rate(b.bytes, time.Since(start)), err
}
