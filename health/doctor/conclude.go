package doctor

import (
	"slices"
	"strings"

	"smbfs/smbclient"
)

// conclude says in plain words what it all means.
func (d *doctor) conclude(r *Result) {
	if r.Unsure != nil {
		d.say("Changes", "could not be measured to the end: %v", r.Unsure)
		return
	}
	switch {
	case r.Refused != nil:
		status, _ := smbclient.StatusOf(r.Refused)
		d.say("CHANGE_NOTIFY", "REFUSED by the server (%v)", status)
		r.Mode = ModePoll
		d.mode(r.Mode, "the server has no change notification, or it is turned off (Samba: change notify = no)")
	case r.Silent:
		d.say("CHANGE_NOTIFY", "taken, but NOTHING was notified within %v, not even what another client did", d.Patience)
		r.Mode = ModePoll
		d.mode(r.Mode, "the server accepts the request and never answers it, as ksmbd does")
	case r.Blocks:
		r.Mode = ModeDir
		d.mode(r.Mode, "a watch for each directory works here")
		d.explain("But a watch inside a directory keeps others from renaming that directory on this server, as on Windows.")
		if r.Tree {
			d.explain("With -o notify=tree one watch at the top tells of everything below, and is in nobody's way.")
		}
	default:
		r.Mode = ModeDir
		d.mode(r.Mode, "a watch for each directory works here, and is in nobody's way")
	}
	d.missing(r)
	d.local(r)
}

// missing says what it means that some kinds of change were notified and others not.
func (d *doctor) missing(r *Result) {
	var kinds []string
	for _, a := range r.Arrivals {
		if a.Err == nil && !a.Arrived() {
			kinds = append(kinds, a.Kind)
		}
	}
	if len(kinds) == 0 {
		return
	}
	d.explain("Not notified here: " + strings.Join(kinds, ", ") + ". That is found by comparing what is watched, later than by a notification.")
	if slices.Equal(kinds, []string{"modify"}) {
		d.explain(`Samba does so with "kernel change notify = no", where changes made on the server itself are not notified either.`)
	}
}

func (d *doctor) mode(mode, why string) {
	d.say("Mode", "notify=auto will use %s: %s", mode, why)
	if d.Setting != "auto" {
		d.say("", "but notify=%s was given, which is then what is used", d.Setting)
	}
	if mode == ModePoll {
		d.explain("Changes are found by comparing the directories that somebody watches, after a second or two instead of milliseconds.")
	}
}

// local says what a client cannot find out.
func (d *doctor) local(r *Result) {
	if r.Refused != nil || r.Silent {
		return
	}
	d.say("Not tested", "changes made on the server itself, by its own programs or over NFS")
	d.explain(`All of the above was done by SMB clients. No client can try what happens when somebody works on the server's own disk: a server may notify the one and
not the other (Samba with "kernel change notify = no", or with fs.inotify.max_user_watches used up, tells of SMB clients' changes only). To check: mount the share, run
"smbfs watch MOUNTPOINT" and "touch" a new file in the shared folder on the server. If the line shows ADDED and some milliseconds, it is notified; if it says "found by
comparison", it is not.`)
}
