// Package doctor finds out what a server does for a mount, by trying it: what was agreed on, and whether each kind of change that one
// client makes is notified to another, and how fast.
//
// It works in a directory of its own, which it makes in the share and always takes away again: what it is about to make is written
// down before the server is asked for it.
//
// All runs on the caller's goroutine; notifications come on the connection's and go into a listener, whose mutex is held for nothing
// else.
//
// What must never be done: touch anything that the doctor has not made; say of a server what was not seen.
package doctor

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"time"

	"smbfs/smbclient"
)

// Modes of finding changes, as notify= names them.
const (
	ModeDir  = "dir"
	ModePoll = "poll"
)

// Options say what to examine. The two connections are two clients to the server: one works, one watches.
type Options struct {
	Work, Watch *smbclient.TreeConnect
	Prefix      string // directory in the share, '\' separated
	Out         io.Writer
	Setting     string        // notify= as given
	Patience    time.Duration // how long a notification is waited for; default 3 s

	// Reconnect makes another connection, to clean up if both are lost.
	Reconnect func(context.Context) (*smbclient.TreeConnect, error)
}

// Result is what was found.
type Result struct {
	Arrivals []Arrival
	Refused  error  // the server's refusal of CHANGE_NOTIFY
	Silent   bool   // it took the request and never notified anything
	Blocks   bool   // a handle below a directory keeps others from renaming it
	Tree     bool   // a watch at the top told of a change below
	Unsure   error  // why nothing could be measured
	Mode     string // what notify=auto does with this server; "" if it could not be found out
	Left     string // a directory that could not be taken away
}

// Healthy reports whether every kind of change was notified and nothing was left behind.
func (r *Result) Healthy() bool {
	for _, a := range r.Arrivals {
		if !a.Arrived() {
			return false
		}
	}
	return r.Unsure == nil && r.Refused == nil && !r.Silent && r.Left == "" && len(r.Arrivals) > 0
}

// doctor is one examination.
type doctor struct {
	Options
	dir  string // scratch directory
	made []made // what may have been made in the share, in its order

	stuck error // why something could not be taken away
}

type made struct {
	path      string
	directory bool
}

// defaultPatience is how long a notification is waited for. Those that come take milliseconds.
const defaultPatience = 3 * time.Second

// Examine tries everything and says what it finds as it goes. The end of ctx ends it, scratch directory included.
func Examine(ctx context.Context, o Options) *Result {
	if o.Patience == 0 {
		o.Patience = defaultPatience
	}
	var id [6]byte
	_, _ = rand.Read(id[:])
	d := &doctor{Options: o, dir: join(strings.Trim(strings.ReplaceAll(o.Prefix, "/", `\`), `\`), fmt.Sprintf(".smbfs-doctor-%x", id))}
	r := &Result{}
	defer func() {
		r.Left = d.cleanUp(ctx)
		if r.Left != "" {
			d.say("Left behind", "%s could not be removed from the share, please do (%v)", r.Left, d.stuck)
		}
	}()
	d.agreed()
	if r.Unsure = d.make(ctx, d.dir, true); r.Unsure != nil {
		d.say("Changes", "nothing can be tried: no directory can be made here (%v)", r.Unsure)
		return r
	}
	d.durable(ctx)
	d.examine(ctx, r)
	d.conclude(r)
	return r
}

// examine tries notifications.
func (d *doctor) examine(ctx context.Context, r *Result) {
	l, err := d.listen(ctx, d.dir, false)
	if err != nil {
		r.Unsure = err
		return
	}
	defer l.close(ctx)
	switch err := d.awaken(ctx, l); {
	case ctx.Err() != nil:
		r.Unsure = context.Cause(ctx)
	case l.refused() != nil:
		r.Refused = l.refused()
	case err == errSilent:
		r.Silent = true
	case err != nil:
		r.Unsure = err
	default:
		d.say("CHANGE_NOTIFY", "taken, and notifications arrive")
		r.Arrivals, r.Unsure = d.measure(ctx, l)
		if r.Unsure == nil {
			r.Blocks, r.Tree = d.blocks(ctx), d.tree(ctx)
		}
		if ctx.Err() != nil {
			r.Unsure = context.Cause(ctx)
		}
	}
}

// say writes one line: a label and what there is to say, without anything that would steer a terminal.
func (d *doctor) say(label, format string, args ...any) {
	text := strings.Map(func(c rune) rune {
		if c < ' ' || c >= 0x7f && c < 0xa0 {
			return '?'
		}
		return c
	}, fmt.Sprintf(format, args...))
	fmt.Fprintf(d.Out, "  %-16s%s\n", label, text)
}

// explain writes a paragraph in lines of a terminal's width.
func (d *doctor) explain(text string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > 90 {
			fmt.Fprintln(d.Out, "  "+line)
			line = ""
		}
		line = strings.TrimLeft(line+" "+word, " ")
	}
	fmt.Fprintln(d.Out, "  "+line)
}

func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + `\` + name
}
