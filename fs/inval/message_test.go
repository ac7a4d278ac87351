package inval

import (
	"bytes"
	"syscall"
	"testing"
	"unsafe"
)

// TestMessages compares with the structures of linux/fuse.h as C lays them out.
func TestMessages(t *testing.T) {
	type header struct {
		length uint32
		code   int32
		unique uint64
	}
	inode := struct {
		header
		ino      uint64
		off, len int64
	}{header{40, notifyInvalInode, 0}, 7, -1, 9}
	if want := unsafe.Slice((*byte)(unsafe.Pointer(&inode)), unsafe.Sizeof(inode)); !bytes.Equal(inodeMessage(7, -1, 9), want) {
		t.Errorf("inode: %x, want %x", inodeMessage(7, -1, 9), want)
	}
	entry := struct {
		header
		parent         uint64
		namelen, flags uint32
	}{header{32 + 3, notifyInvalEntry, 0}, 7, 2, 0}
	want := append(bytes.Clone(unsafe.Slice((*byte)(unsafe.Pointer(&entry)), unsafe.Sizeof(entry))), "ab\x00"...)
	if got := entryMessage(7, "ab"); !bytes.Equal(got, want) {
		t.Errorf("entry: %x, want %x", got, want)
	}
	request := make([]byte, inHeaderSize)
	order.PutUint32(request[4:], 15) // FUSE_READ
	order.PutUint64(request[8:], 77)
	refused := header{16, -int32(syscall.ENOTCONN), 77}
	if want := unsafe.Slice((*byte)(unsafe.Pointer(&refused)), unsafe.Sizeof(refused)); !bytes.Equal(refusal(request), want) {
		t.Errorf("refusal: %x, want %x", refusal(request), want)
	}
	for _, op := range []uint32{opForget, opInterrupt, opBatchForget} {
		order.PutUint32(request[4:], op)
		if refusal(request) != nil {
			t.Errorf("request %d wants no answer", op)
		}
	}
	if refusal(request[:8]) != nil {
		t.Error("half a request was answered")
	}
}
