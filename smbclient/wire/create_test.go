package wire

import (
	"bytes"
	"errors"
	"testing"
)

var someOpen = FileID{Persistent: 0x1122334455667788, Volatile: 0x99AABBCCDDEEFF00}

var createSamples = []sample{
	body(&CreateRequest{
		OplockLevel: OplockLease, ImpersonationLevel: ImpersonationImpersonation, DesiredAccess: FileReadData | Delete,
		FileAttributes: AttributeNormal, ShareAccess: ShareAll, Disposition: DispositionOpenIf, Options: OptionNonDirectoryFile,
		Name:     `dir\ü𝄞`,
		Contexts: []CreateContext{{CreateContextMaximalAccess, nil}, {CreateContextLease, []byte("twenty bytes of lease")}, {"long name", []byte{1}}},
	}, 0),
	body(&CreateRequest{Name: "odd"}, 0),
	body(&CreateRequest{Disposition: DispositionOpen}, 1),
	body(&CreateRequest{Contexts: []CreateContext{{CreateContextQueryOnDiskID, nil}}}, 0),
	body(&CreateResponse{
		OplockLevel: OplockBatch, Flags: CreateFlagReparsePoint, Action: ActionCreated, CreationTime: 1, LastAccessTime: 2,
		LastWriteTime: 3, ChangeTime: 4, AllocationSize: 5, EndOfFile: 6, FileAttributes: AttributeDirectory, FileID: someOpen,
		Contexts: []CreateContext{{CreateContextDurable, make([]byte, 8)}, {CreateContextQueryOnDiskID, make([]byte, 32)}},
	}, 0),
	body(&CreateResponse{FileID: someOpen}, 0),
}

// MS-SMB2 2.2.13: the Buffer of a request is at least one byte long.
func TestCreateRequestOfTheRoot(t *testing.T) {
	enc := new(CreateRequest).Append(nil)
	if len(enc) != 57 {
		t.Errorf("%d bytes", len(enc))
	}
}

func TestCreateContextLists(t *testing.T) {
	list := appendCreateContexts(nil, []CreateContext{{"AAAA", []byte{1}}, {"BBBB", []byte{2}}})
	second := int(le.Uint32(list))
	for name, damage := range map[string]func([]byte){
		"next inside the fixed part": func(b []byte) { le.PutUint32(b, 8) },
		"next at the end":            func(b []byte) { le.PutUint32(b, uint32(len(b))) },
		"next far away":              func(b []byte) { le.PutUint32(b, 0xFFFFFFF0) },
		"the second leads nowhere":   func(b []byte) { le.PutUint32(b[second:], 4) },
		"name in the next entry":     func(b []byte) { le.PutUint16(b[4:], uint16(second)) },
		"data in the next entry":     func(b []byte) { le.PutUint16(b[10:], uint16(second)) },
		"data too long":              func(b []byte) { le.PutUint32(b[12:], 0xFFFFFFFF) },
	} {
		bad := bytes.Clone(list)
		damage(bad)
		if _, err := decodeCreateContexts(bad); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestFindCreateContext(t *testing.T) {
	contexts := []CreateContext{{"AAAA", []byte{1}}, {"BBBB", []byte{2}}, {"BBBB", []byte{3}}}
	if data, ok := FindCreateContext(contexts, "BBBB"); !ok || !bytes.Equal(data, []byte{2}) {
		t.Errorf("BBBB: %v %v", data, ok)
	}
	if _, ok := FindCreateContext(contexts, "CCCC"); ok {
		t.Error("CCCC was found")
	}
}

func FuzzCreateRequest(f *testing.F) { fuzz[CreateRequest](f) }

func FuzzCreateResponse(f *testing.F) { fuzz[CreateResponse](f) }
