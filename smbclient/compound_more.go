package smbclient

import (
	"context"
	"errors"

	"smbfs/smbclient/wire"
)

// LookupIn asks for one name in a directory that is not open: CREATE of the directory, QUERY_DIRECTORY with the name as pattern,
// CLOSE. The entry, nil if there is no such name, has the name's true case.
func (t *TreeConnect) LookupIn(ctx context.Context, dir, name string) (*wire.DirEntry, error) {
	const op = "lookup"
	p := CreateParams{
		Access:      wire.FileListDirectory | wire.FileReadAttributes | wire.Synchronize,
		Share:       wire.ShareAll,
		Disposition: wire.DispositionOpen,
		Options:     wire.OptionDirectoryFile,
	}
	query := lookupRequest(wire.RelatedFileID, name)
	err := t.withFile(ctx, op, dir, p, query)
	if HasStatus(err, wire.StatusNoSuchFile, wire.StatusNoMoreFiles) && query.response.status != wire.StatusSuccess {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer query.response.release()
	var out wire.QueryDirectoryResponse
	if err := out.Decode(query.response.body); err != nil {
		return nil, opError(op, t.session.conn.broken(err))
	}
	entries, err := wire.DecodeDirEntries(out.Output)
	if err == nil && len(entries) == 0 {
		err = errors.New("an answer to a lookup without an entry")
	}
	if err != nil {
		return nil, opError(op, t.session.conn.broken(err))
	}
	return &entries[0], nil
}

// Make makes a file or directory and closes it again: CREATE, QUERY_INFO, CLOSE. The answer describes what was made.
func (t *TreeConnect) Make(ctx context.Context, name string, p CreateParams) (FileStat, error) {
	const op = "create"
	query := queryRequest(wire.RelatedFileID, wire.InfoFile, wire.ClassFileAll, 0, statOutput)
	if err := t.withFile(ctx, op, name, p, query); err != nil {
		return FileStat{}, err
	}
	return t.fileStat(op, name, &query.response)
}

// SetAndStat sets what class says of the file of that name and asks about it: CREATE, SET_INFO, QUERY_INFO, CLOSE.
func (t *TreeConnect) SetAndStat(ctx context.Context, name string, access wire.AccessMask, class wire.InfoClass, input []byte) (FileStat, error) {
	const op = "set info"
	set := setRequest(wire.RelatedFileID, wire.InfoFile, class, 0, input)
	query := queryRequest(wire.RelatedFileID, wire.InfoFile, wire.ClassFileAll, 0, statOutput)
	if err := t.withFile(ctx, op, name, openExisting(access|wire.FileReadAttributes), set, query); err != nil {
		return FileStat{}, err
	}
	return t.fileStat(op, name, &query.response)
}
