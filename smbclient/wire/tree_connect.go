package wire

// TreeConnectFlags are for clusters.
//
// MS-SMB2 2.2.9
type TreeConnectFlags uint16

// MS-SMB2 2.2.9
const (
	TreeConnectClusterReconnect TreeConnectFlags = 0x0001
	TreeConnectRedirectToOwner  TreeConnectFlags = 0x0002
	TreeConnectExtension        TreeConnectFlags = 0x0004 // not supported here
)

// TreeConnectRequest asks for a share.
//
// MS-SMB2 2.2.9
type TreeConnectRequest struct {
	Flags TreeConnectFlags
	Path  string // \\server\share
}

const treeConnectRequestFixed = 8

// Append appends the body.
func (r *TreeConnectRequest) Append(b []byte) []byte {
	b = le.AppendUint16(b, 9)
	b = le.AppendUint16(b, uint16(r.Flags))
	b = le.AppendUint16(b, HeaderSize+treeConnectRequestFixed)
	b = le.AppendUint16(b, uint16(UTF16Len(r.Path)))
	return AppendUTF16(b, r.Path)
}

// Decode reads the body.
func (r *TreeConnectRequest) Decode(body []byte) error {
	const what = "TREE_CONNECT Request"
	if err := checkBody(what, body, 9); err != nil {
		return err
	}
	*r = TreeConnectRequest{Flags: TreeConnectFlags(le.Uint16(body[2:]))}
	if r.Flags&TreeConnectExtension != 0 {
		return malformed(what, "with an extension, which is not supported")
	}
	off, n := uint32(le.Uint16(body[4:])), uint32(le.Uint16(body[6:]))
	path, err := field(what, "PathName", body, treeConnectRequestFixed, off, n)
	if err != nil {
		return err
	}
	r.Path, err = decodeName(what, "PathName", path)
	return err
}

// ShareType is what a share serves.
//
// MS-SMB2 2.2.10
type ShareType uint8

// MS-SMB2 2.2.10
const (
	ShareTypeDisk  ShareType = 0x01
	ShareTypePipe  ShareType = 0x02
	ShareTypePrint ShareType = 0x03
)

// ShareFlags are properties of a share.
//
// MS-SMB2 2.2.10
type ShareFlags uint32

// MS-SMB2 2.2.10
const (
	ShareManualCaching            ShareFlags = 0x00000000 // the four values under ShareCachingMask
	ShareAutoCaching              ShareFlags = 0x00000010
	ShareVDOCaching               ShareFlags = 0x00000020
	ShareNoCaching                ShareFlags = 0x00000030
	ShareCachingMask              ShareFlags = 0x00000030
	ShareDFS                      ShareFlags = 0x00000001
	ShareDFSRoot                  ShareFlags = 0x00000002
	ShareRestrictExclusiveOpens   ShareFlags = 0x00000100
	ShareForceSharedDelete        ShareFlags = 0x00000200
	ShareAllowNamespaceCaching    ShareFlags = 0x00000400
	ShareAccessBasedDirectoryEnum ShareFlags = 0x00000800
	ShareForceLevelIIOplock       ShareFlags = 0x00001000
	ShareEnableHashV1             ShareFlags = 0x00002000
	ShareEnableHashV2             ShareFlags = 0x00004000
	ShareEncryptData              ShareFlags = 0x00008000
	ShareIdentityRemoting         ShareFlags = 0x00040000
	ShareCompressData             ShareFlags = 0x00100000
	ShareIsolatedTransport        ShareFlags = 0x00200000
)

// ShareCapabilities are more of them.
//
// MS-SMB2 2.2.10
type ShareCapabilities uint32

// MS-SMB2 2.2.10
const (
	ShareCapDFS                    ShareCapabilities = 0x00000008
	ShareCapContinuousAvailability ShareCapabilities = 0x00000010
	ShareCapScaleout               ShareCapabilities = 0x00000020
	ShareCapCluster                ShareCapabilities = 0x00000040
	ShareCapAsymmetric             ShareCapabilities = 0x00000080
	ShareCapRedirectToOwner        ShareCapabilities = 0x00000100
)

// TreeConnectResponse describes the share; its TreeID is in the header.
//
// MS-SMB2 2.2.10
type TreeConnectResponse struct {
	ShareType     ShareType
	ShareFlags    ShareFlags
	Capabilities  ShareCapabilities
	MaximalAccess AccessMask
}

// Append appends the body.
func (r *TreeConnectResponse) Append(b []byte) []byte {
	b = le.AppendUint16(b, 16)
	b = append(b, byte(r.ShareType), 0)
	b = le.AppendUint32(b, uint32(r.ShareFlags))
	b = le.AppendUint32(b, uint32(r.Capabilities))
	return le.AppendUint32(b, uint32(r.MaximalAccess))
}

// Decode reads the body.
func (r *TreeConnectResponse) Decode(body []byte) error {
	if err := checkBody("TREE_CONNECT Response", body, 16); err != nil {
		return err
	}
	*r = TreeConnectResponse{
		ShareType:     ShareType(body[2]),
		ShareFlags:    ShareFlags(le.Uint32(body[4:])),
		Capabilities:  ShareCapabilities(le.Uint32(body[8:])),
		MaximalAccess: AccessMask(le.Uint32(body[12:])),
	}
	return nil
}
