package smbclient

import (
	"context"

	"smbfs/smbclient/wire"
)

// decoder is a structure of MS-FSCC.
type decoder interface{ Decode([]byte) error }

func queryRequest(id wire.FileID, infoType wire.InfoType, class wire.InfoClass, additional uint32, max int) *request {
	r := newRequest(wire.CommandQueryInfo, &wire.QueryInfoRequest{
		Type:                  infoType,
		Class:                 class,
		OutputBufferLength:    uint32(max),
		AdditionalInformation: additional,
		FileID:                id,
	}).charged(max)
	r.descriptor = infoType == wire.InfoSecurity
	return r
}

func setRequest(id wire.FileID, infoType wire.InfoType, class wire.InfoClass, additional uint32, input []byte) *request {
	return newRequest(wire.CommandSetInfo, &wire.SetInfoRequest{
		Type:                  infoType,
		Class:                 class,
		AdditionalInformation: additional,
		FileID:                id,
		Input:                 input,
	}).charged(len(input))
}

// queryOutput takes the output from the response to a QUERY_INFO and releases it. After STATUS_BUFFER_OVERFLOW there is
// output and an error.
func (t *TreeConnect) queryOutput(op, name string, r *response) ([]byte, error) {
	defer r.release()
	status := r.status
	if status != wire.StatusSuccess && status != wire.StatusBufferOverflow {
		return nil, &Error{Op: op, Name: name, Status: status}
	}
	var resp wire.QueryInfoResponse
	if err := resp.Decode(r.body); err != nil {
		return nil, opError(op, t.session.conn.broken(err))
	}
	out := append([]byte(nil), resp.Output...)
	if status == wire.StatusBufferOverflow {
		return out, &Error{Op: op, Name: name, Status: status}
	}
	return out, nil
}

// decodeQuery takes a structure from the response to a QUERY_INFO.
func (t *TreeConnect) decodeQuery(op string, r *response, v decoder) error {
	out, err := t.queryOutput(op, "", r)
	if err != nil {
		return err
	}
	if err := v.Decode(out); err != nil {
		return opError(op, t.session.conn.broken(err))
	}
	return nil
}

// QueryInfo queries the open. max bounds the answer, in bytes; with STATUS_BUFFER_OVERFLOW the part that fit comes with the
// error.
func (o *Open) QueryInfo(ctx context.Context, infoType wire.InfoType, class wire.InfoClass, additional uint32, max int) ([]byte, error) {
	const op = "query info"
	r := queryRequest(o.id, infoType, class, additional, min(max, o.tree.session.conn.negotiated.maxTransact))
	resp, err := o.call(ctx, op, r)
	if err != nil && !HasStatus(err, wire.StatusBufferOverflow) {
		return nil, err
	}
	return o.tree.queryOutput(op, o.name, resp)
}

// Stat asks about the open file.
func (o *Open) Stat(ctx context.Context) (FileStat, error) {
	const op = "stat"
	resp, err := o.call(ctx, op, queryRequest(o.id, wire.InfoFile, wire.ClassFileAll, 0, statOutput))
	if err != nil && !HasStatus(err, wire.StatusBufferOverflow) {
		return FileStat{}, err
	}
	return o.tree.fileStat(op, o.name, resp)
}

// SetInfo sets what infoType and class say, of the open.
func (o *Open) SetInfo(ctx context.Context, infoType wire.InfoType, class wire.InfoClass, additional uint32, input []byte) error {
	_, err := o.call(ctx, "set info", setRequest(o.id, infoType, class, additional, input))
	return err
}

// SetEndOfFile sets the size, in bytes.
func (o *Open) SetEndOfFile(ctx context.Context, size uint64) error {
	info := wire.FileEndOfFileInformation{EndOfFile: size}
	return o.SetInfo(ctx, wire.InfoFile, wire.ClassFileEndOfFile, 0, info.Append(nil))
}

// SetBasicInfo sets times and attributes; those that are zero stay as they are.
func (o *Open) SetBasicInfo(ctx context.Context, info wire.FileBasicInformation) error {
	return o.SetInfo(ctx, wire.InfoFile, wire.ClassFileBasic, 0, info.Append(nil))
}

// SetDisposition marks the file for removal when its last handle is closed, or takes that back. The handle needs Delete access.
func (o *Open) SetDisposition(ctx context.Context, remove bool) error {
	info := wire.FileDispositionInformation{DeletePending: remove}
	return o.SetInfo(ctx, wire.InfoFile, wire.ClassFileDisposition, 0, info.Append(nil))
}

// Rename gives the open file another name, relative to the share. The handle needs Delete access.
func (o *Open) Rename(ctx context.Context, newName string, replace bool) error {
	if err := checkName("rename", newName); err != nil {
		return err
	}
	info := wire.FileRenameInformation{ReplaceIfExists: replace, Name: newName}
	err := o.SetInfo(ctx, wire.InfoFile, wire.ClassFileRename, 0, info.Append(nil))
	if err == nil {
		o.tree.session.conn.leases.renamed(o.tree, o.name, newName)
	}
	return err
}
