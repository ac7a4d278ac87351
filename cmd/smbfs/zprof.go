package main

import (
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
)

func init() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGUSR2)
	go func() {
		for range c {
			f, _ := os.Create("/tmp/a/cpu.prof")
			_ = pprof.StartCPUProfile(f)
			<-c
			pprof.StopCPUProfile()
			f.Close()
		}
	}()
}
