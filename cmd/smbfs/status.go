package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"smbfs/health"
)

const statusUsage = "smbfs status [--json] [--watch] [MOUNT...]"

// statusInterval is how often --watch asks.
const statusInterval = time.Second

// mountStatus is one mount's status, or why there is none. It is what --json prints, in a list.
type mountStatus struct {
	*health.Status
	Mountpoint string `json:"mountpoint"`
	Source     string `json:"source"`
	Error      string `json:"error,omitempty"`
}

// runStatus is smbfs status.
func runStatus(ctx context.Context, args []string, _ passwordEnv) error {
	flags, points, err := splitFlags(args, "--json", "--watch", "--help")
	if err != nil {
		return err
	}
	if slices.Contains(flags, "--help") {
		fmt.Println("Usage: " + statusUsage)
		return nil
	}
	asJSON := slices.Contains(flags, "--json")
	if !slices.Contains(flags, "--watch") {
		return showStatus(ctx, os.Stdout, points, asJSON)
	}
	clear := !asJSON && term.IsTerminal(int(os.Stdout.Fd()))
	for {
		var b strings.Builder
		if err := showStatus(ctx, &b, points, asJSON); err != nil && !errors.Is(err, errUnwell) && ctx.Err() == nil {
			return err
		}
		text := b.String()
		if clear { // home, each line to its end, and what is below
			text = "\x1b[H" + strings.ReplaceAll(text, "\n", "\x1b[K\n") + "\x1b[J"
		}
		if _, err := io.WriteString(os.Stdout, text); err != nil {
			return nil // whoever read it has gone
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(statusInterval):
		}
	}
}

// showStatus writes the status of the mounts given, or of all that are this user's.
func showStatus(ctx context.Context, w io.Writer, points []string, asJSON bool) error {
	mounts, err := whichMounts(points)
	if err != nil {
		return err
	}
	all := make([]mountStatus, 0, len(mounts))
	unwell := false
	for _, e := range mounts {
		s := mountStatus{Mountpoint: e.mountpoint, Source: e.source}
		if s.Status, err = ask(ctx, e); err != nil {
			s.Error, unwell = err.Error(), true
		} else if s.Notify.Unseen > 0 {
			unwell = true
		}
		all = append(all, s)
	}
	if asJSON {
		b, err := json.Marshal(all)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s\n", b)
	} else {
		printStatus(w, all)
	}
	if unwell {
		return errUnwell
	}
	return nil
}

func printStatus(w io.Writer, all []mountStatus) {
	if len(all) == 0 {
		fmt.Fprintln(w, "nothing of yours is mounted with smbfs")
	}
	for i, s := range all {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if s.Status == nil {
			fmt.Fprintf(w, "%s on %s\n  %s\n", oneLine(s.Source), oneLine(s.Mountpoint), oneLine(s.Error))
			continue
		}
		fmt.Fprint(w, s.Text())
	}
}

func whichMounts(points []string) ([]mountEntry, error) {
	var list []mountEntry
	for _, p := range points {
		e, _, err := findSmbfs(p)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	if len(points) > 0 {
		return list, nil
	}
	table, err := mountinfo()
	if err != nil {
		return nil, err
	}
	list = smbfsMounts(table)
	if uid := os.Geteuid(); uid != 0 {
		list = slices.DeleteFunc(list, func(e mountEntry) bool { return e.owner != uid })
	}
	return firstNames(list), nil
}

// firstNames leaves out mounts that are bound from another in the list.
func firstNames(list []mountEntry) []mountEntry {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(e mountEntry) bool {
		again := seen[e.device]
		seen[e.device] = true
		return again
	})
}
