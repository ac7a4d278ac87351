package integration

import (
	"slices"
	"strings"
	"testing"
	"time"

	"smbfs/integration/testenv"
	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"

	"golang.org/x/sys/unix"
)

// mountScripted mounts a scripted server that has directory w.
func mountScripted(t *testing.T, options ...string) (*smbtest.Server, *testenv.Mounted) {
	t.Helper()
	return mountServer(t, smbtest.Options{}, options...)
}

func mountServer(t *testing.T, how smbtest.Options, options ...string) (*smbtest.Server, *testenv.Mounted) {
	t.Helper()
	server := smbtest.NewServer(how)
	t.Cleanup(server.Close)
	address := try[string](t)(server.Listen())
	server.Tree.Mkdir("w")
	return server, testenv.MustMount(t, testenv.MountOptions{Source: "//127.0.0.1/" + smbtest.Share, Env: []string{"PASSWD=" + smbtest.Password},
		Options: append(options, "port="+address[strings.LastIndex(address, ":")+1:], "username="+smbtest.User)})
}

// scriptedActor makes changes on a scripted server's own tree.
type scriptedActor struct {
	actor  // what it cannot do
	server *smbtest.Server
}

func (scriptedActor) at(name string) string { return `w\` + strings.ReplaceAll(name, "/", `\`) }

func (a scriptedActor) write(name, flag, text string) error {
	if flag == "append" {
		old, _ := a.server.Tree.ReadFile(a.at(name))
		text = string(old) + text
	}
	return done(a.server.Tree.WriteFile(a.at(name), []byte(text)))
}

func (a scriptedActor) rename(from, to string) error {
	return done(a.server.Tree.Rename(a.at(from), a.at(to)))
}
func (a scriptedActor) unlink(name string) error { return done(a.server.Tree.Remove(a.at(name))) }

func done(is bool) error {
	if !is {
		return unix.ENOENT
	}
	return nil
}

// TestToldByComparison: what the doctor says of servers without notification is so: each change is told, by comparing.
func TestToldByComparison(t *testing.T) {
	t.Parallel()
	for name, hook := range map[string]smbtest.Hook{
		"refuses":   func(r *smbtest.Request) { r.Reply(wire.StatusNotSupported, nil) },
		"is silent": func(r *smbtest.Request) { r.Interim() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, m := mountScripted(t)
			server.Hook(wire.CommandChangeNotify, hook)
			w := testenv.MustWatch(t, testenv.WatchInotify, m.Path("w"), testenv.WatchOptions{})
			for round := range 3 {
				life(t, w, scriptedActor{server: server}, ".", round, true)()
			}
			if v := server.Violations(); len(v) > 0 {
				t.Error(v)
			}
		})
	}
}

// TestAnswersAfterNotifications: the server notifies of a local program's changes before it answers them, which it does 50 ms later. A watcher
// is told what it is told on a local folder.
func TestAnswersAfterNotifications(t *testing.T) {
	t.Parallel()
	server, m := mountScripted(t)
	steps := []string{"write f", "append f hello", "mv f g", "write h other", "mv h g", "mkdir d", "mv g d/g", "rm d/g", "rmdir d"}
	local := t.TempDir()
	want := testenv.MustWatch(t, testenv.WatchInotify, local, testenv.WatchOptions{})
	got := testenv.MustWatch(t, testenv.WatchInotify, m.Path("w"), testenv.WatchOptions{})
	server.Tree.WriteFile(`w\armed`, nil)
	must(t, got.WaitFor(stepTimeout, testenv.Seen(unix.IN_CLOSE_WRITE, "armed")))
	must(t, got.WaitQuiet(afterglow, time.Minute))
	start := got.Len()
	for _, command := range []wire.Command{wire.CommandCreate, wire.CommandWrite, wire.CommandSetInfo, wire.CommandClose} {
		server.Hook(command, func(r *smbtest.Request) {
			r.Serve()
			time.Sleep(50 * time.Millisecond) // the response goes when the whole message has been served
		})
	}
	for _, step := range steps {
		must(t, runStep(folderActor(local), step))
		must(t, runStep(folderActor(m.Path("w")), step))
		if step == "mkdir d" { // a watcher that lists a new directory late finds there what is moved to it next
			for _, w := range []*testenv.Watcher{want, got} {
				must(t, w.WaitFor(stepTimeout, testenv.Seen(unix.IN_CREATE, "d")))
			}
		}
	}
	must(t, want.WaitQuiet(time.Second, time.Minute))
	must(t, got.WaitQuiet(afterglow, time.Minute))
	told, local1 := testenv.Normalise(got.Events()[start:]), testenv.Normalise(want.Events())
	if !slices.Equal(told, local1) {
		t.Errorf("told:\n  %s\non a local folder:\n  %s", strings.Join(told, "\n  "), strings.Join(local1, "\n  "))
	}
}
