package wire

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// golden reads a message that smbclient or smbd sent; see testdata/golden/README.
func golden(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "golden", name+".hex"))
	if err != nil {
		t.Fatal(err)
	}
	msg, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

const (
	okRequest  = FlagPriorityMask & 0x10
	okResponse = FlagServerToRedir | okRequest
)

var (
	upOpen    = FileID{Persistent: 0xB8717292, Volatile: 0xE75DA89B}
	rootOpen  = FileID{Persistent: 0x7D26C2ED, Volatile: 0x111E7B80}
	serverAll = FileID{Persistent: ^uint64(0), Volatile: ^uint64(0)}
)

// otherBytes are where an encoding of ours differs from Samba's with equal meaning.
type otherBytes map[int]byte

// goldenMessages say what a recorded message means. Whatever has an encoding must come out of ours byte for byte.
var goldenMessages = []struct {
	file   string
	header Header // Command, Status, Flags, CreditCharge and MessageID are compared
	want   codec
	differ otherBytes
}{
	{"negotiate_request_30", Header{Command: CommandNegotiate}, &NegotiateRequest{
		SecurityMode: SigningEnabled, Capabilities: 0x7F,
		ClientGUID: GUID(unhex("339e80bb746f9b429d3947d6d5405324")),
		Dialects:   []Dialect{Dialect202, Dialect210, Dialect300},
	}, nil},
	{"tree_connect_request", Header{Command: CommandTreeConnect, Flags: okRequest | FlagSigned, CreditCharge: 1, MessageID: 6},
		&TreeConnectRequest{Path: `\\127.0.0.1\share`}, nil},
	{"tree_connect_response", Header{Command: CommandTreeConnect, Flags: okResponse | FlagSigned, CreditCharge: 1, MessageID: 6},
		&TreeConnectResponse{ShareType: ShareTypeDisk, MaximalAccess: 0x001F01FF}, nil},
	{"create_request", Header{Command: CommandCreate, Flags: okRequest, CreditCharge: 1, MessageID: 268}, &CreateRequest{
		ImpersonationLevel: ImpersonationImpersonation,
		DesiredAccess: FileReadData | FileWriteData | FileAppendData | FileReadEA | FileWriteEA | FileReadAttributes |
			FileWriteAttributes | ReadControl | Synchronize,
		ShareAccess: ShareRead | ShareWrite, Disposition: DispositionOverwriteIf, Options: OptionNonDirectoryFile, Name: "up.bin",
	}, nil},
	{"create_request_root", Header{Command: CommandCreate, Flags: okRequest, CreditCharge: 1, MessageID: 7}, &CreateRequest{
		ImpersonationLevel: ImpersonationImpersonation, DesiredAccess: FileListDirectory | FileReadAttributes,
		FileAttributes: AttributeDirectory, ShareAccess: ShareRead | ShareWrite, Disposition: DispositionOpen,
		Options: OptionDirectoryFile,
	}, nil},
	{"create_response", Header{Command: CommandCreate, Flags: okResponse, CreditCharge: 1, MessageID: 268}, &CreateResponse{
		Action: ActionCreated, CreationTime: 134398359695319794, LastAccessTime: 134398359695319794,
		LastWriteTime: 134398359695319794, ChangeTime: 134398359695319794, FileAttributes: AttributeArchive, FileID: upOpen,
	}, nil},
	{"close_request", Header{Command: CommandClose, Flags: okRequest, CreditCharge: 1, MessageID: 264}, &CloseRequest{FileID: rootOpen}, nil},
	{"close_response", Header{Command: CommandClose, Flags: okResponse, CreditCharge: 1, MessageID: 264}, &CloseResponse{}, nil},
	{"write_request", Header{Command: CommandWrite, Flags: okRequest, CreditCharge: 1, MessageID: 269},
		&WriteRequest{Length: 24, FileID: upOpen, Data: []byte("payload from the client\n")}, nil},
	{"write_response", Header{Command: CommandWrite, Flags: okResponse, CreditCharge: 1, MessageID: 269}, &WriteResponse{Count: 24}, nil},
	{"read_request", Header{Command: CommandRead, Flags: okRequest, CreditCharge: 1, MessageID: 273},
		&ReadRequest{Length: 6, FileID: FileID{0xF5E45DD2, 0x27D3C97A}}, otherBytes{2: 0x50}}, // we say where the data go
	{"read_response", Header{Command: CommandRead, Flags: okResponse, CreditCharge: 1, MessageID: 273},
		&ReadResponse{DataOffset: 80, DataLength: 6, Data: []byte("hello\n")}, nil},
	{"query_directory_request", Header{Command: CommandQueryDirectory, Flags: okRequest, CreditCharge: 128, MessageID: 8},
		&QueryDirectoryRequest{Class: ClassFileIDBothDirectory, FileID: rootOpen, OutputBufferLength: 8 << 20, Pattern: "*"}, nil},
	{"query_info_request_file_all", Header{Command: CommandQueryInfo, Flags: okRequest, CreditCharge: 1, MessageID: 272},
		&QueryInfoRequest{Type: InfoFile, Class: ClassFileAll, OutputBufferLength: 65535, FileID: FileID{0xF5E45DD2, 0x27D3C97A}}, nil},
	{"set_info_request_disposition", Header{Command: CommandSetInfo, Flags: okRequest, CreditCharge: 1, MessageID: 697},
		&SetInfoRequest{Type: InfoFile, Class: ClassFileDisposition, FileID: FileID{0x6B0E3C74, 0xB737B21A}, Input: []byte{1}}, nil},
	{"set_info_response", Header{Command: CommandSetInfo, Flags: okResponse, CreditCharge: 1, MessageID: 278}, &SetInfoResponse{}, nil},
	{"change_notify_request", Header{Command: CommandChangeNotify, Flags: okRequest, CreditCharge: 1, MessageID: 8}, &ChangeNotifyRequest{
		Flags: WatchTree, OutputBufferLength: 1000, FileID: FileID{0xF7B0456C, 0xA579FD6C}, CompletionFilter: CompletionFilterAll,
	}, nil},
	{"error_response_pending", Header{Command: CommandChangeNotify, Status: StatusPending, Flags: okResponse | FlagAsync, MessageID: 8},
		&ErrorResponse{}, otherBytes{8: 0}}, // the byte of ErrorData that means nothing
	{"error_response_no_more_files", Header{Command: CommandQueryDirectory, Status: StatusNoMoreFiles, Flags: okResponse,
		CreditCharge: 128, MessageID: 136}, &ErrorResponse{}, nil},
	{"tree_disconnect_request", Header{Command: CommandTreeDisconnect, Flags: okRequest, CreditCharge: 1, MessageID: 978},
		&TreeDisconnectRequest{}, nil},
	{"tree_disconnect_response", Header{Command: CommandTreeDisconnect, Flags: okResponse, CreditCharge: 1, MessageID: 978},
		&TreeDisconnectResponse{}, nil},
	{"logoff_request", Header{Command: CommandLogoff, Flags: okRequest, CreditCharge: 1, MessageID: 979}, &LogoffRequest{}, nil},
	{"logoff_response", Header{Command: CommandLogoff, Flags: okResponse, CreditCharge: 1, MessageID: 979}, &LogoffResponse{}, nil},
}

func TestGoldenMessages(t *testing.T) {
	for _, g := range goldenMessages {
		t.Run(g.file, func(t *testing.T) {
			msg := golden(t, g.file)
			var h Header
			if err := h.Decode(msg); err != nil {
				t.Fatal(err)
			}
			got := Header{Command: h.Command, Status: h.Status, Flags: h.Flags, CreditCharge: h.CreditCharge, MessageID: h.MessageID}
			if got != g.header {
				t.Errorf("header %+v\nwant   %+v", got, g.header)
			}
			if !bytes.Equal(h.Append(nil), msg[:HeaderSize]) {
				t.Errorf("the header is encoded as %x, recorded as %x", h.Append(nil), msg[:HeaderSize])
			}
			checkGolden(t, msg[HeaderSize:], g.want, g.differ)
		})
	}
}

// checkGolden compares both ways: what recorded bytes mean, and how we encode that.
func checkGolden(t *testing.T, recorded []byte, want codec, differ otherBytes) {
	t.Helper()
	got := reflect.New(reflect.TypeOf(want).Elem()).Interface().(codec)
	if err := got.Decode(recorded); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("decoded %+v\nwant    %+v", got, want)
	}
	for i, b := range differ {
		recorded[i] = b
	}
	if enc := encode(want); !bytes.Equal(enc, recorded) {
		t.Errorf("encoded  %x\nrecorded %x", enc, recorded)
	}
}
