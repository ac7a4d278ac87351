package smbclient

import (
	"context"
	"io/fs"

	"smbfs/smbclient/wire"
)

// Last are the last bytes of what is written to a file, which travel with what comes after them.
type Last struct {
	Bytes  []byte // at most LastMost
	Offset int64
}

// LastMost is how long Last.Bytes may be: they are copied.
const LastMost = creditUnit

// carried is a WRITE that others come after in its message: its data are part of its body.
type carried struct {
	wire.WriteRequest
	data []byte
}

// Append implements appender.
func (c *carried) Append(b []byte) []byte { return append(c.WriteRequest.Append(b), c.data...) }

// SetAndStat writes last, if there is any, sets what class says and asks about the file: all in one message, in which the server keeps
// that order (MS-SMB2 3.2.4.1.4). n is how many bytes of last it has written. If that is not all of them err says why.
func (o *Open) SetAndStat(ctx context.Context, last Last, class wire.InfoClass, input []byte) (st FileStat, n int, err error) {
	const op = "set info"
	if o.closed.Load() {
		return FileStat{}, 0, opError(op, fs.ErrClosed)
	}
	set := setRequest(o.id, wire.InfoFile, class, 0, input)
	query := queryRequest(o.id, wire.InfoFile, wire.ClassFileAll, 0, statOutput)
	all := []*request{set, query}
	var write *request
	if len(last.Bytes) > 0 {
		body := wire.WriteRequest{Length: uint32(len(last.Bytes)), Offset: uint64(last.Offset), FileID: o.id}
		write = newRequest(wire.CommandWrite, &carried{body, last.Bytes}).charged(len(last.Bytes))
		all = append([]*request{write}, all...)
	}
	if err := o.tree.callRelated(ctx, all...); err != nil {
		return FileStat{}, 0, opError(op, err)
	}
	if write != nil {
		p := pipeline{open: o, op: "write"}
		if n, err = p.result(part{write, len(last.Bytes)}); err != nil {
			return FileStat{}, n, err
		}
	}
	if err := statusError(op, o.name, &set.response); err != nil {
		return FileStat{}, n, err
	}
	st, err = o.tree.fileStat(op, o.name, &query.response)
	return st, n, err
}
