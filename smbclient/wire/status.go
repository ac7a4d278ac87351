package wire

import "fmt"

// Status is an NTSTATUS: how a request ended.
//
// MS-ERREF 2.3
type Status uint32

// Severity is what the two highest bits of a Status say.
//
// MS-ERREF 2.3
type Severity uint8

// MS-ERREF 2.3
const (
	SeveritySuccess Severity = iota
	SeverityInformational
	SeverityWarning
	SeverityError
)

// Severity tells successes from failures. Success is not always STATUS_SUCCESS, and a warning can carry an answer:
// STATUS_BUFFER_OVERFLOW does, STATUS_NO_MORE_FILES does not.
func (s Status) Severity() Severity { return Severity(s >> 30) }

// String gives the name in MS-ERREF, or the number in hexadecimal where the code is not among the constants.
func (s Status) String() string {
	if name, ok := statusNames[s]; ok {
		return name
	}
	return fmt.Sprintf("0x%08X", uint32(s))
}
