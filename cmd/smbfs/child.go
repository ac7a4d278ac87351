package main

import (
	"encoding/gob"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

func isDaemonChild(args []string) bool { return len(args) > 1 && args[1] == daemonArg }

// daemonMain is the daemon, up to its exit code.
func daemonMain() int {
	unix.CloseOnExec(configFD)
	unix.CloseOnExec(reportFD)
	configR, reportW := os.NewFile(configFD, "config"), os.NewFile(reportFD, "report")
	var cfg Config
	if err := gob.NewDecoder(configR).Decode(&cfg); err != nil {
		fmt.Fprintf(os.Stderr, "smbfs: %s is for smbfs itself; see smbfs --help\n", daemonArg)
		return exitUsage
	}
	configR.Close()
	d := daemonSide{w: reportW}
	if err := d.serve(cfg); err != nil {
		line, code := explain(err, &cfg)
		d.report(report{Failure: line, Code: code})
		return code
	}
	return exitOK
}

// daemonSide reports once.
type daemonSide struct {
	w    *os.File
	told bool
}

func (d *daemonSide) serve(cfg Config) error {
	log, warning, err := openLog(cfg, false)
	if err != nil {
		return err
	}
	return serve(cfg, log, func() error {
		if err := leaveTerminal(cfg); err != nil {
			return err
		}
		return d.report(report{Warning: warning})
	})
}

// report fails if the command is gone: nobody then knows of the mount, and it is given up.
func (d *daemonSide) report(r report) error {
	if d.told {
		return nil
	}
	d.told = true
	defer d.w.Close()
	if err := gob.NewEncoder(d.w).Encode(r); err != nil {
		return fmt.Errorf("the command that mounts is gone: %w", err)
	}
	return nil
}

// leaveTerminal points standard error, the last tie to where the command was run, at the log file or at nothing. A crash is then
// told in the log file, if there is one.
func leaveTerminal(cfg Config) error {
	f, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if cfg.LogFile != "" {
		f, err = openLogFile(cfg.LogFile)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Dup3(int(f.Fd()), 2, 0)
}
