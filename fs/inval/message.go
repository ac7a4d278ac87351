package inval

import (
	"encoding/binary"
	"syscall"
)

// Layouts and codes of linux/fuse.h.
const (
	outHeaderSize = 16 // struct fuse_out_header: length, error, unique
	inHeaderSize  = 40 // struct fuse_in_header: length, opcode, unique, …

	notifyInvalInode = 2 // FUSE_NOTIFY_INVAL_INODE
	notifyInvalEntry = 3 // FUSE_NOTIFY_INVAL_ENTRY

	opForget      = 2  // FUSE_FORGET
	opInterrupt   = 36 // FUSE_INTERRUPT
	opBatchForget = 42 // FUSE_BATCH_FORGET

	// devIoctlClone is FUSE_DEV_IOC_CLONE: _IOR(229, 0, uint32_t).
	devIoctlClone = 0x8004e500
)

// The machine's byte order is the protocol's.
var order = binary.NativeEndian

// inodeMessage is a struct fuse_notify_inval_inode_out with its header.
func inodeMessage(id uint64, off, length int64) []byte {
	b := header(notifyInvalInode, 24)
	b = order.AppendUint64(b, id)
	b = order.AppendUint64(b, uint64(off))
	return order.AppendUint64(b, uint64(length))
}

// entryMessage is a struct fuse_notify_inval_entry_out with its header and name.
func entryMessage(parent uint64, name string) []byte {
	b := header(notifyInvalEntry, 16+len(name)+1)
	b = order.AppendUint64(b, parent)
	b = order.AppendUint32(b, uint32(len(name)))
	b = order.AppendUint32(b, 0) // flags
	return append(append(b, name...), 0)
}

// header begins a notification: its code stands where an answer has its error.
func header(code uint32, size int) []byte {
	b := order.AppendUint32(make([]byte, 0, outHeaderSize+size), uint32(outHeaderSize+size))
	b = order.AppendUint32(b, code)
	return order.AppendUint64(b, 0) // unique
}

// refusal answers a request with ENOTCONN; nil if the request wants no answer.
func refusal(request []byte) []byte {
	if len(request) < inHeaderSize {
		return nil
	}
	switch order.Uint32(request[4:]) {
	case opForget, opInterrupt, opBatchForget:
		return nil
	}
	errno := -int32(syscall.ENOTCONN)
	b := order.AppendUint32(nil, outHeaderSize)
	b = order.AppendUint32(b, uint32(errno))
	return order.AppendUint64(b, order.Uint64(request[8:])) // unique
}
