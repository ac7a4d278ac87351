package smbclient

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"smbfs/smbclient/wire"
)

const (
	// MaxListEntries bounds a listing. A directory beyond it, or a server that never comes to an end, is an error.
	MaxListEntries = 1 << 20

	// MaxListBytes bounds the memory of a listing, at listEntryBytes an entry and what its names take.
	MaxListBytes   = 256 << 20
	listEntryBytes = 160

	// dirOutput is the room for the first part of a listing, dirOutputSecond that for the second, which travels in the same
	// compound: a directory that fits in them takes one round trip.
	dirOutput       = 1 << 20
	dirOutputSecond = 64 << 10

	// lookupOutput is the room for one entry: the fixed part, and a name of 255 UTF-16 code units (MS-FSCC 2.1.5).
	lookupOutput = 1 << 10

	// lookupCompound is how many lookups travel together.
	lookupCompound = 16
)

// ReadDir lists the directory from its start, without "." and "..". pattern is what QUERY_DIRECTORY matches names with; "" is all. Entries
// whose name cannot be one (empty, with a slash, a backslash or a NUL) are left out and logged. Two listings of one Open at the same time
// disturb each other.
func (o *Open) ReadDir(ctx context.Context, pattern string) ([]wire.DirEntry, error) {
	if pattern == "" {
		pattern = "*"
	}
	return o.readDirFrom(ctx, nil, pattern, wire.Reopen)
}

// readDirFrom appends to a listing what is still to come of it.
func (o *Open) readDirFrom(ctx context.Context, list []wire.DirEntry, pattern string, flags wire.QueryDirectoryFlags) ([]wire.DirEntry, error) {
	for size := 0; ; {
		entries, end, err := o.readDirPart(ctx, pattern, flags)
		if err != nil {
			return nil, err
		}
		list = append(list, entries...)
		if end {
			return list, nil
		}
		for i := range entries {
			size += listEntryBytes + len(entries[i].Name) + len(entries[i].ShortName)
		}
		if c := o.tree.session.conn; len(list) > c.maxList || size > c.maxListBytes {
			return nil, opError("list", fmt.Errorf("%w: %q after %d entries", ErrListingTooLong, o.name, len(list)))
		}
		flags = 0
	}
}

// readDirPart sends one compound of two QUERY_DIRECTORY and returns their entries, and whether the listing is whole.
func (o *Open) readDirPart(ctx context.Context, pattern string, flags wire.QueryDirectoryFlags) ([]wire.DirEntry, bool, error) {
	const op = "list"
	if o.closed.Load() {
		return nil, false, opError(op, fs.ErrClosed)
	}
	parts := o.tree.dirRequests(o.id, pattern, flags)
	if err := o.tree.callRelated(ctx, parts...); err != nil {
		return nil, false, opError(op, err)
	}
	return o.dirParts(parts)
}

// dirRequests are the two requests of a part of a listing, the second related to the first.
func (t *TreeConnect) dirRequests(id wire.FileID, pattern string, flags wire.QueryDirectoryFlags) []*request {
	return []*request{
		dirRequest(id, pattern, flags, min(dirOutput, t.session.conn.negotiated.maxTransact)),
		dirRequest(wire.RelatedFileID, pattern, 0, dirOutputSecond),
	}
}

// dirParts takes the entries from those two, and says whether the listing is whole.
func (o *Open) dirParts(parts []*request) (list []wire.DirEntry, end bool, err error) {
	const op = "list"
	for i, r := range parts {
		entries, err := o.dirEntries(op, &r.response)
		switch {
		case HasStatus(err, wire.StatusNoMoreFiles, wire.StatusNoSuchFile):
			return list, true, nil
		case err != nil && i > 0 && tooLittleRoom(err):
			return list, false, nil
		case err != nil:
			return nil, false, err
		case len(entries) == 0:
			return nil, false, opError(op, o.tree.session.conn.broken(errors.New("a part of a listing without entries")))
		}
		list = append(list, o.validEntries(entries)...)
	}
	return list, false, nil
}

// tooLittleRoom reports whether the second request of a compound failed only because the next entry did not fit its smaller room.
func tooLittleRoom(err error) bool {
	return HasStatus(err, wire.StatusBufferOverflow, wire.StatusInfoLengthMismatch, wire.StatusBufferTooSmall)
}

func dirRequest(id wire.FileID, pattern string, flags wire.QueryDirectoryFlags, max int) *request {
	return newRequest(wire.CommandQueryDirectory, &wire.QueryDirectoryRequest{
		Class:              wire.ClassFileIDBothDirectory,
		Flags:              flags,
		FileID:             id,
		OutputBufferLength: uint32(max),
		Pattern:            pattern,
	}).charged(max)
}

// dirEntries takes the entries from a response and releases it.
func (o *Open) dirEntries(op string, r *response) ([]wire.DirEntry, error) {
	defer r.release()
	if err := statusError(op, o.name, r); err != nil {
		return nil, err
	}
	var out wire.QueryDirectoryResponse
	if err := out.Decode(r.body); err != nil {
		return nil, opError(op, o.tree.session.conn.broken(err))
	}
	entries, err := wire.DecodeDirEntries(out.Output)
	if err != nil {
		return nil, opError(op, o.tree.session.conn.broken(err))
	}
	return entries, nil
}

// validEntries drops what must not reach a file system, in place.
func (o *Open) validEntries(entries []wire.DirEntry) []wire.DirEntry {
	kept := entries[:0]
	for _, e := range entries {
		switch {
		case e.Name == "." || e.Name == "..":
		case e.Name == "" || strings.ContainsAny(e.Name, "/\\\x00"):
			o.tree.session.conn.log.Warn("the server lists an impossible name", "directory", o.name, "name", e.Name)
		default:
			kept = append(kept, e)
		}
	}
	return kept
}

// LookupResult is what is known of one name.
type LookupResult struct {
	Entry *wire.DirEntry // nil: there is no such name, or Err
	Err   error
}

// Lookup asks for names in the directory, without opening what they name and without a listing: the entries have their true case. The names
// must not have the wildcard characters * ? < > and ". The requests travel in compounds; they are not related, since a related one
// fails with the one before it. The error is that of the whole: the connection's or the context's. asked, if it is not nil, is called when
// the first compound is out, before its answer is waited for, unless it could not be sent.
func (o *Open) Lookup(ctx context.Context, names []string, asked func()) ([]LookupResult, error) {
	const op = "lookup"
	if o.closed.Load() {
		return nil, opError(op, fs.ErrClosed)
	}
	results := make([]LookupResult, len(names))
	for start := 0; start < len(names); start += lookupCompound {
		end := min(start+lookupCompound, len(names))
		if err := o.lookupSome(ctx, names[start:end], results[start:end], asked); err != nil {
			return nil, err
		}
		asked = nil
	}
	return results, nil
}

func (o *Open) lookupSome(ctx context.Context, names []string, results []LookupResult, asked func()) error {
	var requests []*request
	var which []int
	for i, name := range names {
		if name == "" || strings.ContainsAny(name, "*?<>\"\\/\x00") {
			results[i].Err = opError("lookup", fmt.Errorf("%w: %q", ErrInvalidName, name))
			continue
		}
		requests = append(requests, lookupRequest(o.id, name))
		which = append(which, i)
	}
	if len(requests) == 0 {
		return nil
	}
	m := &message{requests: requests, session: o.tree.session, treeID: o.tree.id, seal: o.tree.seal}
	c := o.tree.session.conn
	if err := c.send(ctx, m); err != nil {
		return opError("lookup", err)
	}
	if asked != nil {
		asked()
	}
	if err := c.wait(ctx, requests); err != nil {
		return opError("lookup", err)
	}
	for k, r := range requests {
		i := which[k]
		results[i] = o.lookupResult(names[i], &r.response)
		if errors.Is(results[i].Err, errOtherName) {
			var err error
			if results[i], err = o.lookupAlone(ctx, names[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func lookupRequest(id wire.FileID, name string) *request {
	return dirRequest(id, name, wire.Reopen|wire.ReturnSingleEntry, lookupOutput)
}

// lookupAlone asks again, with nothing else under way that could have moved the pattern of the handle.
func (o *Open) lookupAlone(ctx context.Context, name string) (LookupResult, error) {
	r := lookupRequest(o.id, name)
	if _, err := o.tree.call(ctx, r); err != nil {
		return LookupResult{}, opError("lookup", err)
	}
	return o.lookupResult(name, &r.response), nil
}

// errOtherName says that the server answered with an entry of another name.
var errOtherName = errors.New("the server answered for another name")

func (o *Open) lookupResult(name string, r *response) LookupResult {
	entries, err := o.dirEntries("lookup", r)
	switch {
	case HasStatus(err, wire.StatusNoSuchFile, wire.StatusNoMoreFiles, wire.StatusObjectNameNotFound):
		return LookupResult{}
	case err != nil:
		return LookupResult{Err: named(err, name)}
	case len(entries) == 0:
		return LookupResult{}
	case !strings.EqualFold(entries[0].Name, name) && !strings.EqualFold(entries[0].ShortName, name):
		return LookupResult{Err: opError("lookup", errOtherName)}
	}
	return LookupResult{Entry: &entries[0]}
}
