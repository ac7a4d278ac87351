package marks

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"golang.org/x/sys/unix"
)

// File handle types of FUSE: fs/fuse/inode.c, fuse_encode_fh; include/linux/exportfs.h,
// FILEID_INO64_GEN and FILEID_INO64_GEN_PARENT.
const (
	handleType       = "81"
	handleTypeParent = "82"
)

// Kinds of lines: fs/notify/fdinfo.c, inotify_fdinfo and fanotify_fdinfo. The number after
// sdev: is the kernel's own dev_t, in hexadecimal: include/linux/kdev_t.h, MKDEV. (A file's
// st_dev is encoded otherwise.)
var (
	inotifyLine  = []byte("inotify wd:")
	fanotifyLine = []byte("fanotify ")
	mountMark    = []byte("fanotify mnt_id:")
	sbMark       = []byte("fanotify sdev:")
	fieldDevice  = []byte(" sdev:")
	fieldMask    = []byte(" mask:")
	fieldType    = []byte(" fhandle-type:")
	fieldHandle  = []byte(" f_handle:")
)

// minorBits is MINORBITS of include/linux/kdev_t.h.
const minorBits = 20

// deviceField gives what follows "sdev:" for the file system with this st_dev, and the space
// after it.
func deviceField(device uint64) []byte {
	k := uint64(unix.Major(device))<<minorBits | uint64(unix.Minor(device))
	return append(strconv.AppendUint(nil, k, 16), ' ')
}

// content is what the fdinfo of one descriptor says about the mount.
type content struct {
	nodes    []uint64 // a node id for each mark, in the kernel's order: newest first
	whole    bool     // a mark on the whole file system
	mounts   []uint64 // ids of all mounts with a mark, the mount's or not
	nameless int      // marks on the mount whose node is not told
}

func (c *content) reset() { *c = content{nodes: c.nodes[:0], mounts: c.mounts[:0]} }

// parseLine adds what a line, without its newline, says. Lines of other devices are the rule
// and are told by the bytes of one field. What is not understood is not a mark.
func (c *content) parseLine(line, device []byte) {
	fanotify := bytes.HasPrefix(line, fanotifyLine)
	if !fanotify && !bytes.HasPrefix(line, inotifyLine) {
		return
	}
	if fanotify && bytes.HasPrefix(line, mountMark) {
		c.addMount(line)
		return
	}
	rest, ok := after(line, fieldDevice)
	if !ok || !bytes.HasPrefix(rest, device) {
		return
	}
	if fanotify && maskIsZero(rest) {
		return
	}
	if bytes.HasPrefix(line, sbMark) {
		c.whole = true
		return
	}
	if node, ok := nodeOf(rest); ok {
		c.nodes = append(c.nodes, node)
	} else {
		c.nameless++
	}
}

// addMount takes "fanotify mnt_id:HEX mflags:…".
func (c *content) addMount(line []byte) {
	id, _, ok := bytes.Cut(line[len(mountMark):], []byte{' '})
	if !ok || len(id) > 16 || maskIsZero(line) {
		return
	}
	n, err := strconv.ParseUint(string(id), 16, 64)
	if err == nil {
		c.mounts = append(c.mounts, n)
	}
}

// maskIsZero is true of a fanotify mark that only says what to ignore: it watches nothing.
func maskIsZero(line []byte) bool {
	rest, ok := after(line, fieldMask)
	return ok && bytes.HasPrefix(rest, []byte("0 "))
}

// nodeOf decodes the node id from the file handle: two words in the machine's byte order,
// the high one first (fs/fuse/inode.c, fuse_encode_fh).
func nodeOf(line []byte) (uint64, bool) {
	kind, ok := after(line, fieldType)
	if !ok || !bytes.HasPrefix(kind, []byte(handleType+" ")) && !bytes.HasPrefix(kind, []byte(handleTypeParent+" ")) {
		return 0, false
	}
	handle, ok := after(kind, fieldHandle)
	var b [8]byte
	if !ok || len(handle) < hex.EncodedLen(len(b)) {
		return 0, false
	}
	if _, err := hex.Decode(b[:], handle[:hex.EncodedLen(len(b))]); err != nil {
		return 0, false
	}
	high, low := binary.NativeEndian.Uint32(b[:4]), binary.NativeEndian.Uint32(b[4:])
	node := uint64(high)<<32 | uint64(low)
	return node, node != 0
}

func after(line, field []byte) ([]byte, bool) {
	i := bytes.Index(line, field)
	if i < 0 {
		return nil, false
	}
	return line[i+len(field):], true
}
