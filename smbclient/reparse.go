package smbclient

import (
	"context"

	"smbfs/smbclient/wire"
)

// maxReparse is the largest reparse data buffer, in bytes (MS-FSCC 2.1.2.2).
const maxReparse = 16 << 10

// ReparsePoint reads the reparse point of that name.
func (t *TreeConnect) ReparsePoint(ctx context.Context, name string) (wire.ReparseBuffer, error) {
	o, err := t.Create(ctx, name, openExisting(wire.FileReadAttributes))
	if err != nil {
		return wire.ReparseBuffer{}, err
	}
	defer func() { _, _ = o.Close(ctx) }()
	out, err := o.Ioctl(ctx, wire.FsctlGetReparsePoint, nil, maxReparse)
	if err != nil {
		return wire.ReparseBuffer{}, err
	}
	var b wire.ReparseBuffer
	if err := b.Decode(out); err != nil {
		return wire.ReparseBuffer{}, opError("read reparse point", t.session.conn.broken(err))
	}
	return b, nil
}

// MakeReparsePoint makes a file that is the reparse point given. If the server refuses that, no file is left.
func (t *TreeConnect) MakeReparsePoint(ctx context.Context, name string, b wire.ReparseBuffer) error {
	o, err := t.Create(ctx, name, CreateParams{
		Access:      wire.FileWriteAttributes | wire.Delete | wire.Synchronize,
		Attributes:  wire.AttributeNormal,
		Share:       wire.ShareAll,
		Disposition: wire.DispositionCreate,
		Options:     wire.OptionNonDirectoryFile | wire.OptionOpenReparsePoint,
	})
	if err != nil {
		return err
	}
	_, err = o.Ioctl(ctx, wire.FsctlSetReparsePoint, b.Append(nil), 0)
	end := func(ctx context.Context) {
		if err != nil {
			_ = o.SetDisposition(ctx, true)
		}
		_, _ = o.Close(ctx)
	}
	if ctx.Err() != nil { // whoever is interrupted waits for nothing more
		t.session.conn.spawn(func() { end(context.Background()) })
	} else {
		end(ctx)
	}
	return err
}
