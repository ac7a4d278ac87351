package wire

// The codes that an SMB client meets, by value.
//
// MS-ERREF 2.3.1
const (
	StatusSuccess                          Status = 0x00000000
	StatusPending                          Status = 0x00000103
	StatusSomeNotMapped                    Status = 0x00000107
	StatusOplockBreakInProgress            Status = 0x00000108
	StatusNotifyCleanup                    Status = 0x0000010B
	StatusNotifyEnumDir                    Status = 0x0000010C
	StatusBufferOverflow                   Status = 0x80000005
	StatusNoMoreFiles                      Status = 0x80000006
	StatusNoMoreEAs                        Status = 0x80000012
	StatusInvalidEAName                    Status = 0x80000013
	StatusEAListInconsistent               Status = 0x80000014
	StatusNoMoreEntries                    Status = 0x8000001A
	StatusStoppedOnSymlink                 Status = 0x8000002D
	StatusUnsuccessful                     Status = 0xC0000001
	StatusNotImplemented                   Status = 0xC0000002
	StatusInvalidInfoClass                 Status = 0xC0000003
	StatusInfoLengthMismatch               Status = 0xC0000004
	StatusInvalidHandle                    Status = 0xC0000008
	StatusInvalidParameter                 Status = 0xC000000D
	StatusNoSuchDevice                     Status = 0xC000000E
	StatusNoSuchFile                       Status = 0xC000000F
	StatusInvalidDeviceRequest             Status = 0xC0000010
	StatusEndOfFile                        Status = 0xC0000011
	StatusWrongVolume                      Status = 0xC0000012
	StatusNoMediaInDevice                  Status = 0xC0000013
	StatusMoreProcessingRequired           Status = 0xC0000016
	StatusNoMemory                         Status = 0xC0000017
	StatusInvalidLockSequence              Status = 0xC000001E
	StatusInvalidViewSize                  Status = 0xC000001F
	StatusAccessDenied                     Status = 0xC0000022
	StatusBufferTooSmall                   Status = 0xC0000023
	StatusObjectTypeMismatch               Status = 0xC0000024
	StatusObjectNameInvalid                Status = 0xC0000033
	StatusObjectNameNotFound               Status = 0xC0000034
	StatusObjectNameCollision              Status = 0xC0000035
	StatusObjectPathInvalid                Status = 0xC0000039
	StatusObjectPathNotFound               Status = 0xC000003A
	StatusObjectPathSyntaxBad              Status = 0xC000003B
	StatusDataError                        Status = 0xC000003E
	StatusCRCError                         Status = 0xC000003F
	StatusSharingViolation                 Status = 0xC0000043
	StatusQuotaExceeded                    Status = 0xC0000044
	StatusEATooLarge                       Status = 0xC0000050
	StatusNonexistentEAEntry               Status = 0xC0000051
	StatusNoEAsOnFile                      Status = 0xC0000052
	StatusEACorruptError                   Status = 0xC0000053
	StatusFileLockConflict                 Status = 0xC0000054
	StatusLockNotGranted                   Status = 0xC0000055
	StatusDeletePending                    Status = 0xC0000056
	StatusInvalidOwner                     Status = 0xC000005A
	StatusNoLogonServers                   Status = 0xC000005E
	StatusPrivilegeNotHeld                 Status = 0xC0000061
	StatusNoSuchUser                       Status = 0xC0000064
	StatusWrongPassword                    Status = 0xC000006A
	StatusPasswordRestriction              Status = 0xC000006C
	StatusLogonFailure                     Status = 0xC000006D
	StatusAccountRestriction               Status = 0xC000006E
	StatusInvalidLogonHours                Status = 0xC000006F
	StatusInvalidWorkstation               Status = 0xC0000070
	StatusPasswordExpired                  Status = 0xC0000071
	StatusAccountDisabled                  Status = 0xC0000072
	StatusNoneMapped                       Status = 0xC0000073
	StatusInvalidACL                       Status = 0xC0000077
	StatusInvalidSID                       Status = 0xC0000078
	StatusInvalidSecurityDescr             Status = 0xC0000079
	StatusRangeNotLocked                   Status = 0xC000007E
	StatusDiskFull                         Status = 0xC000007F
	StatusFileInvalid                      Status = 0xC0000098
	StatusInsufficientResources            Status = 0xC000009A
	StatusMediaWriteProtected              Status = 0xC00000A2
	StatusDeviceNotReady                   Status = 0xC00000A3
	StatusBadImpersonationLevel            Status = 0xC00000A5
	StatusPipeNotAvailable                 Status = 0xC00000AC
	StatusPipeBusy                         Status = 0xC00000AE
	StatusPipeDisconnected                 Status = 0xC00000B0
	StatusIOTimeout                        Status = 0xC00000B5
	StatusFileIsADirectory                 Status = 0xC00000BA
	StatusNotSupported                     Status = 0xC00000BB
	StatusBadNetworkPath                   Status = 0xC00000BE
	StatusNetworkBusy                      Status = 0xC00000BF
	StatusInvalidNetworkResponse           Status = 0xC00000C3
	StatusUnexpectedNetworkError           Status = 0xC00000C4
	StatusNetworkNameDeleted               Status = 0xC00000C9
	StatusNetworkAccessDenied              Status = 0xC00000CA
	StatusBadDeviceType                    Status = 0xC00000CB
	StatusBadNetworkName                   Status = 0xC00000CC
	StatusTooManySessions                  Status = 0xC00000CE
	StatusRequestNotAccepted               Status = 0xC00000D0
	StatusNotSameDevice                    Status = 0xC00000D4
	StatusFileRenamed                      Status = 0xC00000D5
	StatusCantWait                         Status = 0xC00000D8
	StatusOplockNotGranted                 Status = 0xC00000E2
	StatusInvalidOplockProtocol            Status = 0xC00000E3
	StatusInternalError                    Status = 0xC00000E5
	StatusInvalidUserBuffer                Status = 0xC00000E8
	StatusUnexpectedIOError                Status = 0xC00000E9
	StatusDirectoryNotEmpty                Status = 0xC0000101
	StatusFileCorruptError                 Status = 0xC0000102
	StatusNotADirectory                    Status = 0xC0000103
	StatusTooManyOpenedFiles               Status = 0xC000011F
	StatusCancelled                        Status = 0xC0000120
	StatusCannotDelete                     Status = 0xC0000121
	StatusInvalidComputerName              Status = 0xC0000122
	StatusFileDeleted                      Status = 0xC0000123
	StatusFileClosed                       Status = 0xC0000128
	StatusTimeDifferenceAtDC               Status = 0xC0000133
	StatusInvalidLevel                     Status = 0xC0000148
	StatusLogonNotGranted                  Status = 0xC0000155
	StatusLogonTypeNotGranted              Status = 0xC000015B
	StatusNoTrustSamAccount                Status = 0xC000018B
	StatusTrustedRelationshipFailure       Status = 0xC000018D
	StatusAccountExpired                   Status = 0xC0000193
	StatusPossibleDeadlock                 Status = 0xC0000194
	StatusRemoteSessionLimit               Status = 0xC0000196
	StatusFSDriverRequired                 Status = 0xC000019C
	StatusInvalidLockRange                 Status = 0xC00001A1
	StatusUserSessionDeleted               Status = 0xC0000203
	StatusInsuffServerResources            Status = 0xC0000205
	StatusConnectionDisconnected           Status = 0xC000020C
	StatusConnectionReset                  Status = 0xC000020D
	StatusPasswordMustChange               Status = 0xC0000224
	StatusNotFound                         Status = 0xC0000225
	StatusRetry                            Status = 0xC000022D
	StatusDomainControllerNotFound         Status = 0xC0000233
	StatusAccountLockedOut                 Status = 0xC0000234
	StatusConnectionRefused                Status = 0xC0000236
	StatusPathNotCovered                   Status = 0xC0000257
	StatusTooManyLinks                     Status = 0xC0000265
	StatusDFSUnavailable                   Status = 0xC000026D
	StatusVolumeDismounted                 Status = 0xC000026E
	StatusNotAReparsePoint                 Status = 0xC0000275
	StatusIOReparseTagInvalid              Status = 0xC0000276
	StatusIOReparseTagMismatch             Status = 0xC0000277
	StatusIOReparseDataInvalid             Status = 0xC0000278
	StatusIOReparseTagNotHandled           Status = 0xC0000279
	StatusReparsePointNotResolved          Status = 0xC0000280
	StatusDirectoryIsAReparsePoint         Status = 0xC0000281
	StatusWrongCredentialHandle            Status = 0xC00002F2
	StatusKDCUnknownEtype                  Status = 0xC00002FD
	StatusNotSupportedOnSBS                Status = 0xC0000300
	StatusNetworkSessionExpired            Status = 0xC000035C
	StatusAuthenticationFirewallFailed     Status = 0xC0000413
	StatusCompressionDisabled              Status = 0xC0000426
	StatusServerUnavailable                Status = 0xC0000466
	StatusFileNotAvailable                 Status = 0xC0000467
	StatusShareUnavailable                 Status = 0xC0000480
	StatusCallbackBypass                   Status = 0xC0000503
	StatusVirusInfected                    Status = 0xC0000906
	StatusInvalidSignature                 Status = 0xC000A000
	StatusHashNotSupported                 Status = 0xC000A100
	StatusHashNotPresent                   Status = 0xC000A101
	StatusHandleNoLongerValid              Status = 0xC0190028
	StatusSMBNoPreauthIntegrityHashOverlap Status = 0xC05D0000
	StatusSMBBadClusterDialect             Status = 0xC05D0001
)

// statusNames gives each code above its name in MS-ERREF.
var statusNames = map[Status]string{
	StatusSuccess:                          "STATUS_SUCCESS",
	StatusPending:                          "STATUS_PENDING",
	StatusSomeNotMapped:                    "STATUS_SOME_NOT_MAPPED",
	StatusOplockBreakInProgress:            "STATUS_OPLOCK_BREAK_IN_PROGRESS",
	StatusNotifyCleanup:                    "STATUS_NOTIFY_CLEANUP",
	StatusNotifyEnumDir:                    "STATUS_NOTIFY_ENUM_DIR",
	StatusBufferOverflow:                   "STATUS_BUFFER_OVERFLOW",
	StatusNoMoreFiles:                      "STATUS_NO_MORE_FILES",
	StatusNoMoreEAs:                        "STATUS_NO_MORE_EAS",
	StatusInvalidEAName:                    "STATUS_INVALID_EA_NAME",
	StatusEAListInconsistent:               "STATUS_EA_LIST_INCONSISTENT",
	StatusNoMoreEntries:                    "STATUS_NO_MORE_ENTRIES",
	StatusStoppedOnSymlink:                 "STATUS_STOPPED_ON_SYMLINK",
	StatusUnsuccessful:                     "STATUS_UNSUCCESSFUL",
	StatusNotImplemented:                   "STATUS_NOT_IMPLEMENTED",
	StatusInvalidInfoClass:                 "STATUS_INVALID_INFO_CLASS",
	StatusInfoLengthMismatch:               "STATUS_INFO_LENGTH_MISMATCH",
	StatusInvalidHandle:                    "STATUS_INVALID_HANDLE",
	StatusInvalidParameter:                 "STATUS_INVALID_PARAMETER",
	StatusNoSuchDevice:                     "STATUS_NO_SUCH_DEVICE",
	StatusNoSuchFile:                       "STATUS_NO_SUCH_FILE",
	StatusInvalidDeviceRequest:             "STATUS_INVALID_DEVICE_REQUEST",
	StatusEndOfFile:                        "STATUS_END_OF_FILE",
	StatusWrongVolume:                      "STATUS_WRONG_VOLUME",
	StatusNoMediaInDevice:                  "STATUS_NO_MEDIA_IN_DEVICE",
	StatusMoreProcessingRequired:           "STATUS_MORE_PROCESSING_REQUIRED",
	StatusNoMemory:                         "STATUS_NO_MEMORY",
	StatusInvalidLockSequence:              "STATUS_INVALID_LOCK_SEQUENCE",
	StatusInvalidViewSize:                  "STATUS_INVALID_VIEW_SIZE",
	StatusAccessDenied:                     "STATUS_ACCESS_DENIED",
	StatusBufferTooSmall:                   "STATUS_BUFFER_TOO_SMALL",
	StatusObjectTypeMismatch:               "STATUS_OBJECT_TYPE_MISMATCH",
	StatusObjectNameInvalid:                "STATUS_OBJECT_NAME_INVALID",
	StatusObjectNameNotFound:               "STATUS_OBJECT_NAME_NOT_FOUND",
	StatusObjectNameCollision:              "STATUS_OBJECT_NAME_COLLISION",
	StatusObjectPathInvalid:                "STATUS_OBJECT_PATH_INVALID",
	StatusObjectPathNotFound:               "STATUS_OBJECT_PATH_NOT_FOUND",
	StatusObjectPathSyntaxBad:              "STATUS_OBJECT_PATH_SYNTAX_BAD",
	StatusDataError:                        "STATUS_DATA_ERROR",
	StatusCRCError:                         "STATUS_CRC_ERROR",
	StatusSharingViolation:                 "STATUS_SHARING_VIOLATION",
	StatusQuotaExceeded:                    "STATUS_QUOTA_EXCEEDED",
	StatusEATooLarge:                       "STATUS_EA_TOO_LARGE",
	StatusNonexistentEAEntry:               "STATUS_NONEXISTENT_EA_ENTRY",
	StatusNoEAsOnFile:                      "STATUS_NO_EAS_ON_FILE",
	StatusEACorruptError:                   "STATUS_EA_CORRUPT_ERROR",
	StatusFileLockConflict:                 "STATUS_FILE_LOCK_CONFLICT",
	StatusLockNotGranted:                   "STATUS_LOCK_NOT_GRANTED",
	StatusDeletePending:                    "STATUS_DELETE_PENDING",
	StatusInvalidOwner:                     "STATUS_INVALID_OWNER",
	StatusNoLogonServers:                   "STATUS_NO_LOGON_SERVERS",
	StatusPrivilegeNotHeld:                 "STATUS_PRIVILEGE_NOT_HELD",
	StatusNoSuchUser:                       "STATUS_NO_SUCH_USER",
	StatusWrongPassword:                    "STATUS_WRONG_PASSWORD",
	StatusPasswordRestriction:              "STATUS_PASSWORD_RESTRICTION",
	StatusLogonFailure:                     "STATUS_LOGON_FAILURE",
	StatusAccountRestriction:               "STATUS_ACCOUNT_RESTRICTION",
	StatusInvalidLogonHours:                "STATUS_INVALID_LOGON_HOURS",
	StatusInvalidWorkstation:               "STATUS_INVALID_WORKSTATION",
	StatusPasswordExpired:                  "STATUS_PASSWORD_EXPIRED",
	StatusAccountDisabled:                  "STATUS_ACCOUNT_DISABLED",
	StatusNoneMapped:                       "STATUS_NONE_MAPPED",
	StatusInvalidACL:                       "STATUS_INVALID_ACL",
	StatusInvalidSID:                       "STATUS_INVALID_SID",
	StatusInvalidSecurityDescr:             "STATUS_INVALID_SECURITY_DESCR",
	StatusRangeNotLocked:                   "STATUS_RANGE_NOT_LOCKED",
	StatusDiskFull:                         "STATUS_DISK_FULL",
	StatusFileInvalid:                      "STATUS_FILE_INVALID",
	StatusInsufficientResources:            "STATUS_INSUFFICIENT_RESOURCES",
	StatusMediaWriteProtected:              "STATUS_MEDIA_WRITE_PROTECTED",
	StatusDeviceNotReady:                   "STATUS_DEVICE_NOT_READY",
	StatusBadImpersonationLevel:            "STATUS_BAD_IMPERSONATION_LEVEL",
	StatusPipeNotAvailable:                 "STATUS_PIPE_NOT_AVAILABLE",
	StatusPipeBusy:                         "STATUS_PIPE_BUSY",
	StatusPipeDisconnected:                 "STATUS_PIPE_DISCONNECTED",
	StatusIOTimeout:                        "STATUS_IO_TIMEOUT",
	StatusFileIsADirectory:                 "STATUS_FILE_IS_A_DIRECTORY",
	StatusNotSupported:                     "STATUS_NOT_SUPPORTED",
	StatusBadNetworkPath:                   "STATUS_BAD_NETWORK_PATH",
	StatusNetworkBusy:                      "STATUS_NETWORK_BUSY",
	StatusInvalidNetworkResponse:           "STATUS_INVALID_NETWORK_RESPONSE",
	StatusUnexpectedNetworkError:           "STATUS_UNEXPECTED_NETWORK_ERROR",
	StatusNetworkNameDeleted:               "STATUS_NETWORK_NAME_DELETED",
	StatusNetworkAccessDenied:              "STATUS_NETWORK_ACCESS_DENIED",
	StatusBadDeviceType:                    "STATUS_BAD_DEVICE_TYPE",
	StatusBadNetworkName:                   "STATUS_BAD_NETWORK_NAME",
	StatusTooManySessions:                  "STATUS_TOO_MANY_SESSIONS",
	StatusRequestNotAccepted:               "STATUS_REQUEST_NOT_ACCEPTED",
	StatusNotSameDevice:                    "STATUS_NOT_SAME_DEVICE",
	StatusFileRenamed:                      "STATUS_FILE_RENAMED",
	StatusCantWait:                         "STATUS_CANT_WAIT",
	StatusOplockNotGranted:                 "STATUS_OPLOCK_NOT_GRANTED",
	StatusInvalidOplockProtocol:            "STATUS_INVALID_OPLOCK_PROTOCOL",
	StatusInternalError:                    "STATUS_INTERNAL_ERROR",
	StatusInvalidUserBuffer:                "STATUS_INVALID_USER_BUFFER",
	StatusUnexpectedIOError:                "STATUS_UNEXPECTED_IO_ERROR",
	StatusDirectoryNotEmpty:                "STATUS_DIRECTORY_NOT_EMPTY",
	StatusFileCorruptError:                 "STATUS_FILE_CORRUPT_ERROR",
	StatusNotADirectory:                    "STATUS_NOT_A_DIRECTORY",
	StatusTooManyOpenedFiles:               "STATUS_TOO_MANY_OPENED_FILES",
	StatusCancelled:                        "STATUS_CANCELLED",
	StatusCannotDelete:                     "STATUS_CANNOT_DELETE",
	StatusInvalidComputerName:              "STATUS_INVALID_COMPUTER_NAME",
	StatusFileDeleted:                      "STATUS_FILE_DELETED",
	StatusFileClosed:                       "STATUS_FILE_CLOSED",
	StatusTimeDifferenceAtDC:               "STATUS_TIME_DIFFERENCE_AT_DC",
	StatusInvalidLevel:                     "STATUS_INVALID_LEVEL",
	StatusLogonNotGranted:                  "STATUS_LOGON_NOT_GRANTED",
	StatusLogonTypeNotGranted:              "STATUS_LOGON_TYPE_NOT_GRANTED",
	StatusNoTrustSamAccount:                "STATUS_NO_TRUST_SAM_ACCOUNT",
	StatusTrustedRelationshipFailure:       "STATUS_TRUSTED_RELATIONSHIP_FAILURE",
	StatusAccountExpired:                   "STATUS_ACCOUNT_EXPIRED",
	StatusPossibleDeadlock:                 "STATUS_POSSIBLE_DEADLOCK",
	StatusRemoteSessionLimit:               "STATUS_REMOTE_SESSION_LIMIT",
	StatusFSDriverRequired:                 "STATUS_FS_DRIVER_REQUIRED",
	StatusInvalidLockRange:                 "STATUS_INVALID_LOCK_RANGE",
	StatusUserSessionDeleted:               "STATUS_USER_SESSION_DELETED",
	StatusInsuffServerResources:            "STATUS_INSUFF_SERVER_RESOURCES",
	StatusConnectionDisconnected:           "STATUS_CONNECTION_DISCONNECTED",
	StatusConnectionReset:                  "STATUS_CONNECTION_RESET",
	StatusPasswordMustChange:               "STATUS_PASSWORD_MUST_CHANGE",
	StatusNotFound:                         "STATUS_NOT_FOUND",
	StatusRetry:                            "STATUS_RETRY",
	StatusDomainControllerNotFound:         "STATUS_DOMAIN_CONTROLLER_NOT_FOUND",
	StatusAccountLockedOut:                 "STATUS_ACCOUNT_LOCKED_OUT",
	StatusConnectionRefused:                "STATUS_CONNECTION_REFUSED",
	StatusPathNotCovered:                   "STATUS_PATH_NOT_COVERED",
	StatusTooManyLinks:                     "STATUS_TOO_MANY_LINKS",
	StatusDFSUnavailable:                   "STATUS_DFS_UNAVAILABLE",
	StatusVolumeDismounted:                 "STATUS_VOLUME_DISMOUNTED",
	StatusNotAReparsePoint:                 "STATUS_NOT_A_REPARSE_POINT",
	StatusIOReparseTagInvalid:              "STATUS_IO_REPARSE_TAG_INVALID",
	StatusIOReparseTagMismatch:             "STATUS_IO_REPARSE_TAG_MISMATCH",
	StatusIOReparseDataInvalid:             "STATUS_IO_REPARSE_DATA_INVALID",
	StatusIOReparseTagNotHandled:           "STATUS_IO_REPARSE_TAG_NOT_HANDLED",
	StatusReparsePointNotResolved:          "STATUS_REPARSE_POINT_NOT_RESOLVED",
	StatusDirectoryIsAReparsePoint:         "STATUS_DIRECTORY_IS_A_REPARSE_POINT",
	StatusWrongCredentialHandle:            "STATUS_WRONG_CREDENTIAL_HANDLE",
	StatusKDCUnknownEtype:                  "STATUS_KDC_UNKNOWN_ETYPE",
	StatusNotSupportedOnSBS:                "STATUS_NOT_SUPPORTED_ON_SBS",
	StatusNetworkSessionExpired:            "STATUS_NETWORK_SESSION_EXPIRED",
	StatusAuthenticationFirewallFailed:     "STATUS_AUTHENTICATION_FIREWALL_FAILED",
	StatusCompressionDisabled:              "STATUS_COMPRESSION_DISABLED",
	StatusServerUnavailable:                "STATUS_SERVER_UNAVAILABLE",
	StatusFileNotAvailable:                 "STATUS_FILE_NOT_AVAILABLE",
	StatusShareUnavailable:                 "STATUS_SHARE_UNAVAILABLE",
	StatusCallbackBypass:                   "STATUS_CALLBACK_BYPASS",
	StatusVirusInfected:                    "STATUS_VIRUS_INFECTED",
	StatusInvalidSignature:                 "STATUS_INVALID_SIGNATURE",
	StatusHashNotSupported:                 "STATUS_HASH_NOT_SUPPORTED",
	StatusHashNotPresent:                   "STATUS_HASH_NOT_PRESENT",
	StatusHandleNoLongerValid:              "STATUS_HANDLE_NO_LONGER_VALID",
	StatusSMBNoPreauthIntegrityHashOverlap: "STATUS_SMB_NO_PREAUTH_INTEGRITY_HASH_OVERLAP",
	StatusSMBBadClusterDialect:             "STATUS_SMB_BAD_CLUSTER_DIALECT",
}
