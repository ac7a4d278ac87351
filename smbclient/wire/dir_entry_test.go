package wire

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

// DirEntries makes a codec of the list.
type DirEntries []DirEntry

func (l *DirEntries) Append(b []byte) []byte { return AppendDirEntries(b, *l) }

func (l *DirEntries) Decode(b []byte) (err error) {
	*l, err = DecodeDirEntries(b)
	return err
}

var dirEntrySamples = []sample{
	{msg: &DirEntries{
		{
			Name: "häßlich 𝄞.txt", FileIndex: 1, CreationTime: 2, LastAccessTime: 3, LastWriteTime: 4, ChangeTime: 5, EndOfFile: 6,
			AllocationSize: 7, Attributes: AttributeArchive, EASize: 8, ShortName: "HLICH~12.TXT", FileID: 9,
		},
		{Name: "odd", Attributes: AttributeDirectory, FileID: 10},
	}, valid: []int{0}},
	{msg: &DirEntries{{Name: "link", Attributes: AttributeReparsePoint, EASize: uint32(ReparseTagSymlink)}}, valid: []int{0}},
}

func TestDirEntriesGolden(t *testing.T) {
	var resp QueryDirectoryResponse
	if err := resp.Decode(golden(t, "query_directory_response")[HeaderSize:]); err != nil {
		t.Fatal(err)
	}
	times := func(e DirEntry, create, access, write, change Filetime) DirEntry {
		e.CreationTime, e.LastAccessTime, e.LastWriteTime, e.ChangeTime = create, access, write, change
		return e
	}
	const made, dirMade = 0x01DD7A98959C27F5, 0x01DD7A98959CC435
	file := DirEntry{Attributes: AttributeNormal, EndOfFile: 6, AllocationSize: 4096, FileID: 0x9840B8}
	link, hello := times(file, made, made, made, made), times(file, made, made, made, made)
	link.Name, hello.Name = "link", "hello.txt"
	want := DirEntries{
		times(DirEntry{Name: ".", Attributes: AttributeDirectory, FileID: 0x9840B7}, made, made, 0x01DD7A98959D6075, 0x01DD7A98959D6075),
		times(DirEntry{Name: "..", Attributes: AttributeDirectory, FileID: 0x9840B0},
			0x01DD7A989800F2F7, 0x01DD7A98980538B7, 0x01DD7A989800F2F7, 0x01DD7A989800F2F7),
		times(DirEntry{Name: "dir", Attributes: AttributeDirectory, FileID: 0x9840B9}, dirMade, dirMade, dirMade, dirMade),
		link, hello,
	}
	checkGolden(t, resp.Output, &want, nil)
}

func TestDirEntryBadName(t *testing.T) {
	list := AppendDirEntries(nil, []DirEntry{{Name: "good", FileID: 1}, {Name: "bad!", ShortName: "BAD", FileID: 2}, {Name: "last", FileID: 3}})
	i := bytes.Index(list, AppendUTF16(nil, "bad!"))
	copy(list[i+2:], "\x00\xDC")  // a low surrogate on its own
	copy(list[i-34:], "\x00\xD8") // and a high one in the short name
	got, err := DecodeDirEntries(list)
	if err != nil {
		t.Fatal(err)
	}
	want := []DirEntry{{Name: "good", FileID: 1}, {Name: "b\uFFFDd!", BadName: true, FileID: 2}, {Name: "last", FileID: 3}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestDirEntryLoops(t *testing.T) {
	list := AppendDirEntries(nil, []DirEntry{{Name: "a"}, {Name: "b"}})
	for _, next := range []uint32{1, 8, dirEntryFixed - 1, uint32(len(list)), 0xFFFFFFF8} {
		le.PutUint32(list, next)
		if _, err := DecodeDirEntries(list); !errors.Is(err, ErrMalformed) {
			t.Errorf("next entry at %d: error %v", next, err)
		}
	}
}

func TestDirEntryShortNameTooLong(t *testing.T) {
	list := AppendDirEntries(nil, []DirEntry{{Name: "a long enough name"}})
	list[68] = shortNameSize + 2
	if _, err := DecodeDirEntries(list); !errors.Is(err, ErrMalformed) {
		t.Errorf("error %v", err)
	}
}

func TestDirEntryReparseTag(t *testing.T) {
	e := DirEntry{Attributes: AttributeReparsePoint, EASize: 0xA000000C}
	if e.ReparseTag() != ReparseTagSymlink {
		t.Errorf("%#x", e.ReparseTag())
	}
	e.Attributes = AttributeNormal
	if e.ReparseTag() != 0 {
		t.Errorf("%#x without the attribute", e.ReparseTag())
	}
}

func FuzzDirEntries(f *testing.F) { fuzz[DirEntries](f) }
