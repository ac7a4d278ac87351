package wire

import (
	"strings"
	"testing"
)

// MS-ERREF 2.3.1, and the name of each code follows from its constant.
func TestStatus(t *testing.T) {
	for s, want := range map[Status]string{
		0x00000000: "STATUS_SUCCESS", 0x00000103: "STATUS_PENDING", 0x0000010B: "STATUS_NOTIFY_CLEANUP",
		0x0000010C: "STATUS_NOTIFY_ENUM_DIR", 0x80000005: "STATUS_BUFFER_OVERFLOW", 0x80000006: "STATUS_NO_MORE_FILES",
		0x8000002D: "STATUS_STOPPED_ON_SYMLINK", 0xC0000016: "STATUS_MORE_PROCESSING_REQUIRED", 0xC0000022: "STATUS_ACCESS_DENIED",
		0xC0000034: "STATUS_OBJECT_NAME_NOT_FOUND", 0xC0000035: "STATUS_OBJECT_NAME_COLLISION", 0xC0000056: "STATUS_DELETE_PENDING",
		0xC000006D: "STATUS_LOGON_FAILURE", 0xC00000BB: "STATUS_NOT_SUPPORTED", 0xC00000C9: "STATUS_NETWORK_NAME_DELETED",
		0xC0000101: "STATUS_DIRECTORY_NOT_EMPTY", 0xC0000120: "STATUS_CANCELLED", 0xC0000128: "STATUS_FILE_CLOSED",
		0xC000009A: "STATUS_INSUFFICIENT_RESOURCES", 0xC0000002: "STATUS_NOT_IMPLEMENTED", 0xC000035C: "STATUS_NETWORK_SESSION_EXPIRED",
		0xC0000203: "STATUS_USER_SESSION_DELETED", 0xE0001234: "0xE0001234",
	} {
		if got := s.String(); got != want {
			t.Errorf("%08X: %s, want %s", uint32(s), got, want)
		}
	}
	seen := make(map[string]Status)
	for s, name := range statusNames {
		if other, ok := seen[name]; ok || !strings.HasPrefix(name, "STATUS_") {
			t.Errorf("%08X and %08X are both %s", uint32(s), uint32(other), name)
		}
		seen[name] = s
	}
}

func TestSeverity(t *testing.T) {
	for s, want := range map[Status]Severity{
		StatusPending: SeveritySuccess, 0x40000000: SeverityInformational, StatusBufferOverflow: SeverityWarning, StatusAccessDenied: SeverityError,
	} {
		if got := s.Severity(); got != want {
			t.Errorf("%s: %d, want %d", s, got, want)
		}
	}
}
