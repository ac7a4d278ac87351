package wire

import (
	"errors"
	"testing"
)

var treeConnectSamples = []sample{
	body(&TreeConnectRequest{Flags: TreeConnectClusterReconnect, Path: `\\server\share`}, 0),
	body(&TreeConnectResponse{
		ShareType: ShareTypePipe, ShareFlags: ShareEncryptData | ShareDFS, Capabilities: ShareCapDFS, MaximalAccess: GenericAll,
	}, 0),
}

// The extension moves the path to where nobody here would look.
func TestTreeConnectExtensionRefused(t *testing.T) {
	enc := (&TreeConnectRequest{Flags: TreeConnectExtension, Path: `\\s\s`}).Append(nil)
	if err := new(TreeConnectRequest).Decode(enc); !errors.Is(err, ErrMalformed) {
		t.Errorf("error %v", err)
	}
}

func FuzzTreeConnectRequest(f *testing.F) { fuzz[TreeConnectRequest](f) }

func FuzzTreeConnectResponse(f *testing.F) { fuzz[TreeConnectResponse](f) }
