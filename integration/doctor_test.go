package integration

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"smbfs/integration/testenv"
	"smbfs/smbclient/smbtest"
	"smbfs/smbclient/wire"
)

// examine runs smbfs doctor.
func examine(t *testing.T, port, name, password, source string) (code int, out string) {
	t.Helper()
	code, out, errs := tool(t, nil, []string{"PASSWD=" + password}, "doctor", "-o", "port="+port+",username="+name, source)
	if errs != "" {
		t.Errorf("besides: %s", errs)
	}
	return code, out
}

const fiveArrivals = 5 // create, modify, attributes, rename, delete

// TestDoctorOnSamba: each server is told of as it is. That SMB clients' changes are notified says nothing about changes made on the
// server: with kernel change notify = no only the former are, and of those not even writes (Samba 4.17).
func TestDoctorOnSamba(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		global   []string
		code     int
		arrivals int
		says     []string
	}{
		"plain":                {nil, 0, fiveArrivals, []string{"will use dir", "Durable handles granted", "SMB 3.1.1", "Not tested"}},
		"without kernel's":     {[]string{"kernel change notify = no"}, 1, fiveArrivals - 1, []string{"modify        NOT notified", "Not notified here: modify.", "will use dir", "Not tested", "smbfs watch"}},
		"without notification": {[]string{"change notify = no"}, 1, 0, []string{"REFUSED", "STATUS_NOT_IMPLEMENTED", "will use poll"}},
		"dialect 2.1":          {[]string{"server max protocol = SMB2_10"}, 0, fiveArrivals, []string{"SMB 2.1", "Durable handles granted (version 1)", "will use dir"}},
		"encrypted":            {[]string{"server smb encrypt = required"}, 0, fiveArrivals, []string{"in use", "will use dir"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testenv.MustSamba(t, testenv.Options{Global: tc.global})
			code, out := examine(t, fmt.Sprint(s.Port), s.User, s.Password, s.Source())
			if code != tc.code || strings.Count(out, " notified, ") != tc.arrivals {
				t.Errorf("exit code %d:\n%s", code, out)
			}
			for _, part := range tc.says {
				if !strings.Contains(out, part) {
					t.Errorf("%q is missing in\n%s", part, out)
				}
			}
			if left := try[[]os.DirEntry](t)(os.ReadDir(s.Dir)); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// scripted serves with a hook for CHANGE_NOTIFY and gives the port.
func scripted(t *testing.T, hook smbtest.Hook) (*smbtest.Server, string) {
	t.Helper()
	s := smbtest.NewServer(smbtest.Options{})
	t.Cleanup(s.Close)
	s.Hook(wire.CommandChangeNotify, hook)
	_, port, err := net.SplitHostPort(try[string](t)(s.Listen()))
	must(t, err)
	return s, port
}

func TestDoctorOnScriptedServers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		hook smbtest.Hook
		says []string
	}{
		"refuses":    {func(r *smbtest.Request) { r.Reply(wire.StatusNotSupported, nil) }, []string{"REFUSED", "STATUS_NOT_SUPPORTED", "will use poll"}},
		"is silent":  {func(r *smbtest.Request) { r.Interim() }, []string{"taken, but NOTHING", "will use poll"}},
		"hangs once": {func(*smbtest.Request) {}, []string{"taken, but NOTHING"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, port := scripted(t, tc.hook)
			code, out := examine(t, port, smbtest.User, smbtest.Password, "//127.0.0.1/"+smbtest.Share)
			if code != 1 || strings.Contains(out, "Left behind") || strings.Contains(out, "Not tested") {
				t.Errorf("exit code %d:\n%s", code, out)
			}
			for _, part := range tc.says {
				if !strings.Contains(out, part) {
					t.Errorf("%q is missing in\n%s", part, out)
				}
			}
			if v := s.Violations(); len(v) != 0 {
				t.Error(v)
			}
		})
	}
}

// TestDoctorOnRenamesInTwo: Samba says that a name went and that another came where it reads the kernel's two events one by one.
func TestDoctorOnRenamesInTwo(t *testing.T) {
	t.Parallel()
	halves := map[wire.NotifyAction]wire.NotifyAction{wire.ActionRenamedOldName: wire.ActionRemoved, wire.ActionRenamedNewName: wire.ActionAdded}
	var altered atomic.Int32
	_, port := scripted(t, func(r *smbtest.Request) {
		r.Alter(func(body []byte) {
			output := body[8:] // MS-SMB2 2.2.36
			events, err := wire.DecodeNotifyEvents(output)
			if err != nil {
				t.Error(err)
			}
			for i := range events {
				if half, ok := halves[events[i].Action]; ok {
					events[i].Action = half
					altered.Add(1)
				}
			}
			copy(output, wire.AppendNotifyEvents(nil, events))
		})
		r.Serve()
	})
	_, out := examine(t, port, smbtest.User, smbtest.Password, "//127.0.0.1/"+smbtest.Share)
	if !strings.Contains(out, "rename        notified, ") || altered.Load() == 0 {
		t.Errorf("%d halves:\n%s", altered.Load(), out)
	}
}

// TestDoctorInterrupted: Ctrl-C in the middle leaves nothing behind.
func TestDoctorInterrupted(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 16)
	server, port := scripted(t, func(r *smbtest.Request) {
		r.Interim()
		asked <- struct{}{}
	})
	removed := make(chan string, 64)
	server.Hook(wire.CommandCreate, func(r *smbtest.Request) {
		var in wire.CreateRequest
		if in.Decode(r.Body) == nil && in.DesiredAccess&wire.Delete != 0 {
			removed <- in.Name
		}
		r.Serve()
	})
	cmd := exec.Command(try[string](t)(testenv.Binary()), "doctor", "-o", "port="+port+",username="+smbtest.User+",password="+smbtest.Password, "//127.0.0.1/"+smbtest.Share)
	var out strings.Builder
	cmd.Stdout = &out
	must(t, cmd.Start())
	select {
	case <-asked:
	case <-time.After(stepTimeout):
		t.Error("the doctor does not come to asking for notifications")
	}
	must(t, cmd.Process.Signal(syscall.SIGINT))
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("%v", err)
	}
	if strings.Contains(out.String(), "Left behind") || !strings.Contains(out.String(), "could not be measured") {
		t.Errorf("%s", out.String())
	}
	last := ""
	for len(removed) > 0 {
		last = <-removed
	}
	if !strings.HasPrefix(last, ".smbfs-doctor-") || strings.Contains(last, `\`) || server.Tree.Mkdir(last) == false {
		t.Errorf("the last thing taken away is %q", last)
	}
}

// TestDoctorWithoutServer: what cannot be connected to is told in a line, with a doctor's exit code.
func TestDoctorWithoutServer(t *testing.T) {
	t.Parallel()
	s := plainSamba(t)
	_, port, err := net.SplitHostPort(closedPort(t))
	must(t, err)
	if code, out := examine(t, port, s.User, s.Password, s.Source()); code != 1 || !strings.Contains(out, "refuses the connection") {
		t.Errorf("exit code %d: %s", code, out)
	}
	if code, out := examine(t, fmt.Sprint(s.Port), s.User, wrongPassword, s.Source()); code != 1 || !strings.Contains(out, "wrong user name or password") || strings.Contains(out, wrongPassword) {
		t.Errorf("exit code %d: %s", code, out)
	}
	if code, out := examine(t, fmt.Sprint(s.Port), s.User, s.Password, s.Source()+"/no/such/folder"); code != 1 || !strings.Contains(out, "nothing can be tried") {
		t.Errorf("exit code %d: %s", code, out)
	}
}

// TestDoctorWhereNothingCanBeWritten says so, and does not guess.
func TestDoctorWhereNothingCanBeWritten(t *testing.T) {
	t.Parallel()
	s := testenv.MustSamba(t, testenv.Options{Share: []string{"read only = yes"}})
	code, out := examine(t, fmt.Sprint(s.Port), s.User, s.Password, s.Source())
	if code != 1 || !strings.Contains(out, "nothing can be tried") || strings.Contains(out, "will use") {
		t.Errorf("exit code %d: %s", code, out)
	}
}
