package doctor

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"smbfs/smbclient"
	"smbfs/smbclient/wire"
)

// agreed says what was agreed on with the server.
func (d *doctor) agreed() {
	s := d.Work.Session()
	c := s.Connection()
	d.say("Dialect", "SMB %v", c.Dialect())
	signing := s.Signing()
	if c.ServerRequiresSigning() {
		signing += " (the server demands it of everybody)"
	}
	d.say("Signing", "%s", signing)
	d.say("Encryption", "%s", d.encryption())
	d.say("Sizes", "read %s, write %s, listing %s at once", size(c.MaxReadSize()), size(c.MaxWriteSize()), size(c.MaxTransactSize()))
	d.say("Offers", "%s", offers(c.ServerCapabilities()))
	if s.Guest() {
		d.say("User", "guest or anonymous: nothing is signed or encrypted")
	}
}

func (d *doctor) encryption() string {
	s := d.Work.Session().Encryption()
	switch {
	case s == "none":
		return "not offered with this dialect and these options"
	case d.Work.Encrypted():
		return s + ", in use"
	}
	return strings.TrimSuffix(s, ", not required") + " agreed on, not in use (-o seal turns it on)"
}

// offers names the capabilities that matter here. What the server names only to clients that have it too is left out.
func offers(caps wire.Capabilities) string {
	var list []string
	for _, o := range []struct {
		bit  wire.Capabilities
		name string
	}{
		{wire.CapLeasing, "leases"}, {wire.CapLargeMTU, "large requests"}, {wire.CapDFS, "DFS"},
		{wire.CapPersistentHandles, "persistent handles"}, {wire.CapDirectoryLeasing, "directory leases"}, {wire.CapMultiChannel, "multichannel"},
	} {
		if caps&o.bit != 0 {
			list = append(list, o.name)
		}
	}
	if len(list) == 0 {
		return "no leases, no large requests"
	}
	return strings.Join(list, ", ")
}

func size(n int) string {
	if n >= 1<<20 && n%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d KiB", n>>10)
}

// durable asks for a durable handle on a file of its own, and says whether it was given.
func (d *doctor) durable(ctx context.Context) {
	name := join(d.dir, "durable")
	d.note(name, false)
	p := fileParams
	p.Oplock = wire.OplockBatch // without it no server grants one: MS-SMB2 3.3.5.9.6
	version := 1
	p.Contexts = []wire.CreateContext{(&wire.DurableRequest{}).Context()}
	if d.Work.Session().Connection().Dialect() >= wire.Dialect300 {
		version = 2
		var guid wire.GUID
		_, _ = rand.Read(guid[:])
		p.Contexts = []wire.CreateContext{(&wire.DurableV2Request{CreateGUID: guid}).Context()}
	}
	o, err := d.Work.Create(ctx, name, p)
	if err != nil {
		d.say("Durable handles", "not found out: %v", err)
		return
	}
	defer func() { _, _ = o.Close(context.WithoutCancel(ctx)) }()
	if granted(o, p.Contexts[0].Name) {
		d.say("Durable handles", "granted (version %d)", version)
		return
	}
	d.say("Durable handles", "not granted")
}

func granted(o *smbclient.Open, context string) bool {
	for _, c := range o.Contexts {
		if c.Name == context {
			return true
		}
	}
	return false
}

// fileParams make a file.
var fileParams = smbclient.CreateParams{
	Access:      wire.FileWriteData | wire.FileReadAttributes | wire.FileWriteAttributes | wire.Synchronize,
	Attributes:  wire.AttributeNormal,
	Share:       wire.ShareAll,
	Disposition: wire.DispositionCreate,
	Options:     wire.OptionNonDirectoryFile,
}
