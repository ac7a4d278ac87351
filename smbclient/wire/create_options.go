package wire

// OplockLevel is a degree of exclusive use.
//
// MS-SMB2 2.2.13, 2.2.14
type OplockLevel uint8

// MS-SMB2 2.2.13
const (
	OplockNone      OplockLevel = 0x00
	OplockII        OplockLevel = 0x01
	OplockExclusive OplockLevel = 0x08
	OplockBatch     OplockLevel = 0x09
	OplockLease     OplockLevel = 0xFF
)

// ImpersonationLevel is how far the server may act in the user's name.
//
// MS-SMB2 2.2.13
type ImpersonationLevel uint32

// MS-SMB2 2.2.13
const (
	ImpersonationAnonymous      ImpersonationLevel = 0
	ImpersonationIdentification ImpersonationLevel = 1
	ImpersonationImpersonation  ImpersonationLevel = 2
	ImpersonationDelegate       ImpersonationLevel = 3
)

// CreateDisposition is what to do if the file exists, and if it does not.
//
// MS-SMB2 2.2.13
type CreateDisposition uint32

// MS-SMB2 2.2.13
const (
	DispositionSupersede   CreateDisposition = 0 // replace or create
	DispositionOpen        CreateDisposition = 1 // open or fail
	DispositionCreate      CreateDisposition = 2 // fail or create
	DispositionOpenIf      CreateDisposition = 3 // open or create
	DispositionOverwrite   CreateDisposition = 4 // truncate or fail
	DispositionOverwriteIf CreateDisposition = 5 // truncate or create
)

// CreateOptions are the rest.
//
// MS-SMB2 2.2.13
type CreateOptions uint32

// MS-SMB2 2.2.13
const (
	OptionDirectoryFile         CreateOptions = 0x00000001
	OptionWriteThrough          CreateOptions = 0x00000002
	OptionSequentialOnly        CreateOptions = 0x00000004
	OptionNoIntermediateBuffer  CreateOptions = 0x00000008
	OptionSynchronousIOAlert    CreateOptions = 0x00000010
	OptionSynchronousIONonalert CreateOptions = 0x00000020
	OptionNonDirectoryFile      CreateOptions = 0x00000040
	OptionCompleteIfOplocked    CreateOptions = 0x00000100
	OptionNoEAKnowledge         CreateOptions = 0x00000200
	OptionRandomAccess          CreateOptions = 0x00000800
	OptionDeleteOnClose         CreateOptions = 0x00001000
	OptionOpenByFileID          CreateOptions = 0x00002000
	OptionOpenForBackupIntent   CreateOptions = 0x00004000
	OptionNoCompression         CreateOptions = 0x00008000
	OptionOpenRemoteInstance    CreateOptions = 0x00000400
	OptionOpenRequiringOplock   CreateOptions = 0x00010000
	OptionDisallowExclusive     CreateOptions = 0x00020000
	OptionReserveOpfilter       CreateOptions = 0x00100000
	OptionOpenReparsePoint      CreateOptions = 0x00200000
	OptionOpenNoRecall          CreateOptions = 0x00400000
	OptionOpenForFreeSpaceQuery CreateOptions = 0x00800000
)

// CreateAction is what a CREATE did.
//
// MS-SMB2 2.2.14
type CreateAction uint32

// MS-SMB2 2.2.14
const (
	ActionSuperseded  CreateAction = 0
	ActionOpened      CreateAction = 1
	ActionCreated     CreateAction = 2
	ActionOverwritten CreateAction = 3
)

// CreateFlagReparsePoint in CreateResponse.Flags: the last part of the path is a reparse point.
//
// MS-SMB2 2.2.14
const CreateFlagReparsePoint uint8 = 0x01
