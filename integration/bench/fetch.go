package main

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// reportEvery is a little more than the time after which Linux gives free memory back to the host.
const reportEvery = 2200 * time.Millisecond

// fetch has memory at hand for what a measurement of the large file fills page caches with: that of the mount, and the server's. A virtual
// machine with free page reporting gives free memory back to its host and gets it again at less than the speed of a copy: whoever needs it
// first would pay for all, and the side with two page caches twice. What is let go here is there for two seconds, once nothing that was
// free before is about to be given back.
func (b *bench) fetch() error {
	if _, err := os.Stat("/sys/module/page_reporting"); err != nil {
		return nil
	}
	m, err := unix.Mmap(-1, 0, int(2*b.bytes), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return fmt.Errorf("memory for a measurement: %w", err)
	}
	_ = unix.Madvise(m, unix.MADV_HUGEPAGE) // it is only faster
	for at := 0; at < len(m); at += os.Getpagesize() {
		m[at] = 1
	}
	time.Sleep(reportEvery)
	return unix.Munmap(m)
}
