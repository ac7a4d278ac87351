package smbclient

import (
	"context"
	"errors"
	"fmt"

	"smbfs/smbclient/wire"
)

// What takes a file by its name and does one thing with it travels as one compound: CREATE, the thing, CLOSE
// (MS-SMB2 3.2.4.1.4). The CLOSE is the server's to do even if nobody waits for it any more.

// withFile sends CREATE, the requests given, and CLOSE, and returns the error of the first that failed. A warning of the requests
// in between is not a failure. The responses are in the requests.
func (t *TreeConnect) withFile(ctx context.Context, op, name string, p CreateParams, requests ...*request) error {
	if err := checkName(op, name); err != nil {
		return err
	}
	carrying := t.withLease(name, p)
	create, err := t.callWithFile(ctx, carrying.request(name), requests)
	if err == nil && carrying.Lease.State != wire.LeaseNone && create.response.status == wire.StatusInvalidParameter {
		// The name is another file's by now, with which the server does not connect the key.
		t.session.conn.leases.forget(t, name)
		again := make([]*request, len(requests))
		for i, r := range requests {
			again[i] = r.again()
		}
		create, err = t.callWithFile(ctx, p.request(name), again)
		for i, r := range again {
			requests[i].response = r.response
		}
	}
	if err != nil {
		return opError(op, err)
	}
	for i, r := range append([]*request{create}, requests...) {
		status := r.response.status
		if status == wire.StatusSuccess || i > 0 && status == wire.StatusBufferOverflow {
			continue
		}
		return &Error{Op: op, Name: name, Status: status}
	}
	return nil
}

func (t *TreeConnect) callWithFile(ctx context.Context, create *request, requests []*request) (*request, error) {
	all := append([]*request{create}, requests...)
	all = append(all, closeRequest(wire.RelatedFileID, 0))
	if err := t.callRelated(ctx, all...); err != nil {
		return nil, err
	}
	t.closeLeft(ctx, create, all[len(all)-1])
	return create, nil
}

// closeLeft closes what a compound has opened and, since something in between failed, not closed: a server that goes by MS-SMB2
// 3.3.5.2.7.2 fails the CLOSE with the error of the request before it.
func (t *TreeConnect) closeLeft(ctx context.Context, create, closing *request) {
	if create.response.status == wire.StatusSuccess && closing.response.status != wire.StatusSuccess {
		t.closeOrphanIn(ctx, create)
	}
}

// FileStat is what is to be known of a file without opening it for longer.
type FileStat struct {
	FileInfo
	FileID        uint64 // the file system's; 0 where the server has none
	NumberOfLinks uint32
	DeletePending bool
	Directory     bool
}

// statOutput is the room for a FileAllInformation: its name is not needed, but some servers fail the query, instead of cutting
// the name, when the room is short.
const statOutput = 4 << 10

// Stat asks about the file of that name. With follow it asks about what a symbolic link or other reparse point leads to, if the
// server follows it, otherwise about the reparse point itself. A CREATE by name does not tell the name's true case.
func (t *TreeConnect) Stat(ctx context.Context, name string, follow bool) (FileStat, error) {
	const op = "stat"
	p := CreateParams{
		Access:      wire.FileReadAttributes | wire.Synchronize,
		Share:       wire.ShareAll,
		Disposition: wire.DispositionOpen,
	}
	if !follow {
		p.Options = wire.OptionOpenReparsePoint
	}
	query := queryRequest(wire.RelatedFileID, wire.InfoFile, wire.ClassFileAll, 0, statOutput)
	if err := t.withFile(ctx, op, name, p, query); err != nil {
		return FileStat{}, err
	}
	return t.fileStat(op, name, &query.response)
}

// fileStat decodes a FileAllInformation without its name.
func (t *TreeConnect) fileStat(op, name string, r *response) (FileStat, error) {
	out, err := t.queryOutput(op, name, r)
	if err != nil && !HasStatus(err, wire.StatusBufferOverflow) {
		return FileStat{}, err
	}
	var all wire.FileAllInformation
	if err := all.Decode(out[:min(len(out), wire.FileAllFixed)]); err != nil {
		return FileStat{}, opError(op, t.session.conn.broken(err))
	}
	return FileStat{
		FileInfo: FileInfo{
			CreationTime:   all.Basic.CreationTime,
			LastAccessTime: all.Basic.LastAccessTime,
			LastWriteTime:  all.Basic.LastWriteTime,
			ChangeTime:     all.Basic.ChangeTime,
			AllocationSize: all.Standard.AllocationSize,
			EndOfFile:      all.Standard.EndOfFile,
			Attributes:     all.Basic.FileAttributes,
		},
		FileID:        all.IndexNumber,
		NumberOfLinks: all.Standard.NumberOfLinks,
		DeletePending: all.Standard.DeletePending,
		Directory:     all.Standard.Directory,
	}, nil
}

// QueryFile opens the file of that name with access, queries it and closes it: a security descriptor, for example. max bounds the answer,
// in bytes. With STATUS_BUFFER_OVERFLOW the part that fit comes with the error. A reparse point is not followed.
func (t *TreeConnect) QueryFile(ctx context.Context, name string, access wire.AccessMask, infoType wire.InfoType, class wire.InfoClass,
	additional uint32, max int) ([]byte, error) {
	const op = "query info"
	if infoType == wire.InfoSecurity && t.session.conn.noDescriptors.Load() {
		return nil, opError(op, fmt.Errorf("%w: of a security descriptor, before", ErrSignature))
	}
	query := queryRequest(wire.RelatedFileID, infoType, class, additional, min(max, t.session.conn.negotiated.maxTransact))
	if err := t.withFile(ctx, op, name, openExisting(access), query); err != nil {
		return nil, err
	}
	return t.queryOutput(op, name, &query.response)
}

// openExisting are the parameters for a file that is there, the last link of the name not followed.
func openExisting(access wire.AccessMask) CreateParams {
	return CreateParams{
		Access:      access | wire.Synchronize,
		Share:       wire.ShareAll,
		Disposition: wire.DispositionOpen,
		Options:     wire.OptionOpenReparsePoint,
	}
}

// SetFile opens the file of that name with access, sets what class says and closes it. A reparse point is not followed.
func (t *TreeConnect) SetFile(ctx context.Context, name string, access wire.AccessMask, class wire.InfoClass, input []byte) error {
	return t.setFile(ctx, "set info", name, openExisting(access), class, input)
}

// SetSecurity sets the parts of the security descriptor that additional names.
func (t *TreeConnect) SetSecurity(ctx context.Context, name string, access wire.AccessMask, additional uint32, descriptor []byte) error {
	set := setRequest(wire.RelatedFileID, wire.InfoSecurity, 0, additional, descriptor)
	return t.withFile(ctx, "set security", name, openExisting(access), set)
}

func (t *TreeConnect) setFile(ctx context.Context, op, name string, p CreateParams, class wire.InfoClass, input []byte) error {
	return t.withFile(ctx, op, name, p, setRequest(wire.RelatedFileID, wire.InfoFile, class, 0, input))
}

// Rename gives the file or directory oldName another name. With replace an existing newName gives way, as far as the server allows:
// none replaces a directory.
func (t *TreeConnect) Rename(ctx context.Context, oldName, newName string, replace bool) error {
	const op = "rename"
	if err := checkName(op, newName); err != nil {
		return err
	}
	info := wire.FileRenameInformation{ReplaceIfExists: replace, Name: newName}
	err := t.setFile(ctx, op, oldName, openExisting(wire.Delete|wire.FileReadAttributes), wire.ClassFileRename, info.Append(nil))
	if err == nil {
		t.session.conn.leases.renamed(t, oldName, newName)
	}
	return err
}

// Link gives the file oldName a second name.
func (t *TreeConnect) Link(ctx context.Context, oldName, newName string, replace bool) error {
	const op = "link"
	if err := checkName(op, newName); err != nil {
		return err
	}
	info := wire.FileLinkInformation{ReplaceIfExists: replace, Name: newName}
	return t.setFile(ctx, op, oldName, openExisting(wire.FileWriteAttributes|wire.FileReadAttributes), wire.ClassFileLink, info.Append(nil))
}

// Remove removes the file of that name, or with directory the empty directory; the wrong kind is refused, and a reparse point is removed
// itself.
//
// It sets the disposition instead of FILE_DELETE_ON_CLOSE in the CREATE: only so does the server say that a directory is not empty, before
// it is too late to be told. It asks for POSIX semantics first (FileDispositionInformationEx: the name goes at once though others have
// the file open, and a read-only attribute does not matter), and once a server has refused that, for the plain kind: then the name stays,
// with STATUS_DELETE_PENDING for everybody, until the last handle is closed, and a read-only attribute is taken off first.
func (t *TreeConnect) Remove(ctx context.Context, name string, directory bool) error {
	const op = "remove"
	p := openExisting(wire.Delete | wire.FileReadAttributes)
	p.Options |= kindOption(directory)
	if !t.noPosixDelete.Load() {
		info := wire.FileDispositionInformationEx{
			Flags: wire.DispositionDelete | wire.DispositionPosixSemantics | wire.DispositionIgnoreReadonly,
		}
		err := t.setFile(ctx, op, name, p, wire.ClassFileDispositionEx, info.Append(nil))
		if !HasStatus(err, wire.StatusInvalidInfoClass, wire.StatusInvalidLevel, wire.StatusNotSupported, wire.StatusInvalidParameter,
			wire.StatusNotImplemented) {
			return err
		}
		t.noPosixDelete.Store(true)
	}
	plain := wire.FileDispositionInformation{DeletePending: true}
	err := t.setFile(ctx, op, name, p, wire.ClassFileDisposition, plain.Append(nil))
	if HasStatus(err, wire.StatusCannotDelete) {
		return t.removeReadonly(ctx, name, p)
	}
	return err
}

func kindOption(directory bool) wire.CreateOptions {
	if directory {
		return wire.OptionDirectoryFile
	}
	return wire.OptionNonDirectoryFile
}

// removeReadonly takes the read-only attribute off and then removes.
func (t *TreeConnect) removeReadonly(ctx context.Context, name string, p CreateParams) error {
	p.Access |= wire.FileWriteAttributes
	basic := wire.FileBasicInformation{FileAttributes: wire.AttributeNormal}
	plain := wire.FileDispositionInformation{DeletePending: true}
	return t.withFile(ctx, "remove", name, p,
		setRequest(wire.RelatedFileID, wire.InfoFile, wire.ClassFileBasic, 0, basic.Append(nil)),
		setRequest(wire.RelatedFileID, wire.InfoFile, wire.ClassFileDisposition, 0, plain.Append(nil)))
}

// FSInfo is the space and the nature of the file system behind a share.
type FSInfo struct {
	BlockSize       uint64 // bytes in an allocation unit
	TotalBlocks     uint64
	FreeBlocks      uint64
	AvailableBlocks uint64 // for this user
	Attributes      wire.FsAttributes
	MaxNameLength   uint32 // UTF-16 code units
	FileSystem      string
}

// StatFS asks about the file system behind the share.
func (t *TreeConnect) StatFS(ctx context.Context) (FSInfo, error) {
	const op = "statfs"
	size := queryRequest(wire.RelatedFileID, wire.InfoFilesystem, wire.ClassFsFullSize, 0, 64)
	attr := queryRequest(wire.RelatedFileID, wire.InfoFilesystem, wire.ClassFsAttribute, 0, statOutput)
	if err := t.withFile(ctx, op, "", openExisting(wire.FileReadAttributes), size, attr); err != nil {
		return FSInfo{}, err
	}
	var full wire.FileFsFullSizeInformation
	var attributes wire.FileFsAttributeInformation
	err := errors.Join(
		t.decodeQuery(op, &size.response, &full),
		t.decodeQuery(op, &attr.response, &attributes),
	)
	if err != nil {
		return FSInfo{}, err
	}
	block := uint64(full.SectorsPerAllocationUnit) * uint64(full.BytesPerSector)
	if block == 0 || block > 1<<31 { // what statfs(2) can say, and a divisor for whoever asks
		return FSInfo{}, opError(op, fmt.Errorf("%w: allocation units of %d bytes", ErrProtocol, block))
	}
	return FSInfo{
		BlockSize:       block,
		TotalBlocks:     full.TotalAllocationUnits,
		FreeBlocks:      full.ActualAvailableAllocationUnits,
		AvailableBlocks: full.CallerAvailableAllocationUnits,
		Attributes:      attributes.Attributes,
		MaxNameLength:   attributes.MaximumComponentNameLength,
		FileSystem:      attributes.FileSystemName,
	}, nil
}
