package smbclient

import (
	"context"

	"smbfs/smbclient/wire"
)

// anyFile is the FileID of a control that is about no open (MS-SMB2 3.2.4.20).
var anyFile = wire.FileID{Persistent: ^uint64(0), Volatile: ^uint64(0)}

// Ioctl sends a file system control that is about the share as a whole. maxOutput bounds the answer, in bytes.
func (t *TreeConnect) Ioctl(ctx context.Context, code wire.CtlCode, input []byte, maxOutput int) ([]byte, error) {
	return t.ioctl(ctx, anyFile, code, input, maxOutput, false)
}

// Ioctl sends a file system control about the open. maxOutput bounds the answer, in bytes.
func (o *Open) Ioctl(ctx context.Context, code wire.CtlCode, input []byte, maxOutput int) ([]byte, error) {
	out, err := o.tree.ioctl(ctx, o.id, code, input, maxOutput, false)
	return out, named(err, o.name)
}

func ioctlRequest(id wire.FileID, code wire.CtlCode, input []byte, maxOutput int) *request {
	return newRequest(wire.CommandIoctl, &wire.IoctlRequest{
		CtlCode:           code,
		FileID:            id,
		MaxOutputResponse: uint32(maxOutput),
		Flags:             wire.IoctlIsFsctl,
		Input:             input,
	}).charged(max(len(input), maxOutput))
}

func (t *TreeConnect) ioctl(ctx context.Context, id wire.FileID, code wire.CtlCode, input []byte, maxOutput int, sign bool) ([]byte, error) {
	r := ioctlRequest(id, code, input, min(maxOutput, t.session.conn.negotiated.maxTransact))
	r.forceSign = sign
	resp, err := t.call(ctx, r)
	if err != nil {
		return nil, opError("ioctl", err)
	}
	return t.ioctlOutput(resp)
}

// ioctlOutput takes the output from a response and releases it.
func (t *TreeConnect) ioctlOutput(resp *response) ([]byte, error) {
	defer resp.release()
	status := resp.status
	if status != wire.StatusSuccess && status != wire.StatusBufferOverflow {
		return nil, &Error{Op: "ioctl", Status: status}
	}
	var out wire.IoctlResponse
	if err := out.Decode(resp.body); err != nil {
		if status == wire.StatusBufferOverflow {
			return nil, &Error{Op: "ioctl", Status: status}
		}
		return nil, t.session.conn.broken(err)
	}
	data := append([]byte(nil), out.Output...)
	if status != wire.StatusSuccess {
		return data, &Error{Op: "ioctl", Status: status}
	}
	return data, nil
}

// named puts a name into an *Error that has none.
func named(err error, name string) error {
	if e, ok := err.(*Error); ok && e.Name == "" {
		return &Error{Op: e.Op, Name: name, Status: e.Status}
	}
	return err
}
