package wire

import "fmt"

// ReparseTag is the kind of a reparse point.
//
// MS-FSCC 2.1.2.1
type ReparseTag uint32

// MS-FSCC 2.1.2.1
const (
	ReparseTagMountPoint ReparseTag = 0xA0000003
	ReparseTagSymlink    ReparseTag = 0xA000000C
	ReparseTagNFS        ReparseTag = 0x80000014
	ReparseTagDFS        ReparseTag = 0x8000000A
	ReparseTagDedup      ReparseTag = 0x80000013
	ReparseTagAppExecLnk ReparseTag = 0x8000001B
	ReparseTagAFUnix     ReparseTag = 0x80000023
	ReparseTagLXSymlink  ReparseTag = 0xA000001D
	ReparseTagLXFIFO     ReparseTag = 0x80000024
	ReparseTagLXCHR      ReparseTag = 0x80000025
	ReparseTagLXBLK      ReparseTag = 0x80000026
)

// reparseTagMicrosoft marks a tag without a GUID.
const reparseTagMicrosoft ReparseTag = 0x80000000

// ReparseBuffer is the output of FsctlGetReparsePoint and the input of FsctlSetReparsePoint. Data stays as it is, whatever the
// tag.
//
// MS-FSCC 2.1.2.2, 2.1.2.3
type ReparseBuffer struct {
	Tag  ReparseTag
	GUID GUID // only with a tag that is not Microsoft's
	Data []byte
}

// Append appends the buffer.
func (r *ReparseBuffer) Append(b []byte) []byte {
	b = le.AppendUint32(b, uint32(r.Tag))
	b = le.AppendUint16(b, uint16(len(r.Data)))
	b = le.AppendUint16(b, 0) // Reserved
	if r.Tag&reparseTagMicrosoft == 0 {
		b = append(b, r.GUID[:]...)
	}
	return append(b, r.Data...)
}

// Decode reads the buffer.
func (r *ReparseBuffer) Decode(b []byte) error {
	const what = "REPARSE_DATA_BUFFER"
	if err := checkLen(what, b, 8); err != nil {
		return err
	}
	*r = ReparseBuffer{Tag: ReparseTag(le.Uint32(b))}
	data := uint64(8)
	if r.Tag&reparseTagMicrosoft == 0 {
		data += uint64(len(r.GUID))
		if err := checkLen(what, b, int(data)); err != nil {
			return err
		}
		r.GUID = GUID(b[8:data])
	}
	var err error
	r.Data, err = within(what, "DataBuffer", b, data, uint64(le.Uint16(b[4:])))
	return err
}

// SymlinkRelative in SymlinkReparse.Flags: the substitute name is relative to the directory of the link.
//
// MS-FSCC 2.1.2.4
const SymlinkRelative uint32 = 0x00000001

// SymlinkReparse is the data of a ReparseBuffer with ReparseTagSymlink.
//
// MS-FSCC 2.1.2.4
type SymlinkReparse struct {
	SubstituteName string
	PrintName      string
	Flags          uint32
}

const symlinkReparseFixed = 12

// Append appends the data of the buffer.
func (s *SymlinkReparse) Append(b []byte) []byte {
	sub, print := uint16(UTF16Len(s.SubstituteName)), uint16(UTF16Len(s.PrintName))
	b = le.AppendUint16(b, 0)
	b = le.AppendUint16(b, sub)
	b = le.AppendUint16(b, sub)
	b = le.AppendUint16(b, print)
	b = le.AppendUint32(b, s.Flags)
	b = AppendUTF16(b, s.SubstituteName)
	return AppendUTF16(b, s.PrintName)
}

// Buffer wraps the data.
func (s *SymlinkReparse) Buffer() ReparseBuffer {
	return ReparseBuffer{Tag: ReparseTagSymlink, Data: s.Append(nil)}
}

// Decode reads the data of a buffer. The SYMBOLIC_LINK_ERROR_RESPONSE has it in the same form.
func (s *SymlinkReparse) Decode(data []byte) error {
	const what = "Symbolic Link Reparse Data Buffer"
	if err := checkLen(what, data, symlinkReparseFixed); err != nil {
		return err
	}
	*s = SymlinkReparse{Flags: le.Uint32(data[8:])}
	path := data[symlinkReparseFixed:]
	for _, f := range []struct {
		name string
		head []byte
		dst  *string
	}{{"SubstituteName", data, &s.SubstituteName}, {"PrintName", data[4:], &s.PrintName}} {
		raw, err := within(what, f.name, path, uint64(le.Uint16(f.head)), uint64(le.Uint16(f.head[2:])))
		if err != nil {
			return err
		}
		if *f.dst, err = decodeName(what, f.name, raw); err != nil {
			return err
		}
	}
	return nil
}

// NFSType is the kind of file that a reparse point with ReparseTagNFS stands for.
//
// MS-FSCC 2.1.2.6
type NFSType uint64

// MS-FSCC 2.1.2.6
const (
	NFSSymlink NFSType = 0x00000000014B4E4C
	NFSChar    NFSType = 0x0000000000524843
	NFSBlock   NFSType = 0x00000000004B4C42
	NFSFIFO    NFSType = 0x000000004F464946
	NFSSocket  NFSType = 0x000000004B434F53
)

// String gives the letters that the number is made of.
func (t NFSType) String() string {
	switch t {
	case NFSSymlink:
		return "LNK"
	case NFSChar:
		return "CHR"
	case NFSBlock:
		return "BLK"
	case NFSFIFO:
		return "FIFO"
	case NFSSocket:
		return "SOCK"
	}
	return fmt.Sprintf("NFS type 0x%X", uint64(t))
}

// NFSReparse is the data of a ReparseBuffer with ReparseTagNFS.
//
// MS-FSCC 2.1.2.6
type NFSReparse struct {
	Type NFSType
	Data []byte // symlink: target in UTF-16; device: major and minor, 32 bits each; otherwise empty
}

// Append appends the data of the buffer.
func (n *NFSReparse) Append(b []byte) []byte {
	b = le.AppendUint64(b, uint64(n.Type))
	return append(b, n.Data...)
}

// Decode reads the data of a buffer.
func (n *NFSReparse) Decode(data []byte) error {
	const what = "NFS Reparse Data Buffer"
	if err := checkLen(what, data, 8); err != nil {
		return err
	}
	*n = NFSReparse{Type: NFSType(le.Uint64(data))}
	var err error
	n.Data, err = within(what, "DataBuffer", data, 8, uint64(len(data)-8))
	return err
}
