package wire

import "fmt"

// NotifyAction is what happened to a name.
//
// MS-FSCC 2.7.1
type NotifyAction uint32

// MS-FSCC 2.7.1
const (
	ActionAdded           NotifyAction = 0x00000001
	ActionRemoved         NotifyAction = 0x00000002
	ActionModified        NotifyAction = 0x00000003
	ActionRenamedOldName  NotifyAction = 0x00000004
	ActionRenamedNewName  NotifyAction = 0x00000005
	ActionAddedStream     NotifyAction = 0x00000006
	ActionRemovedStream   NotifyAction = 0x00000007
	ActionModifiedStream  NotifyAction = 0x00000008
	ActionRemovedByDelete NotifyAction = 0x00000009
	ActionIDNotTunnelled  NotifyAction = 0x0000000A
	ActionTunnelledIDColl NotifyAction = 0x0000000B
)

var notifyActionNames = [...]string{
	1: "ADDED", "REMOVED", "MODIFIED", "RENAMED_OLD_NAME", "RENAMED_NEW_NAME", "ADDED_STREAM", "REMOVED_STREAM", "MODIFIED_STREAM",
	"REMOVED_BY_DELETE", "ID_NOT_TUNNELLED", "TUNNELLED_ID_COLLISION",
}

func (a NotifyAction) String() string {
	if a > 0 && int64(a) < int64(len(notifyActionNames)) {
		return notifyActionNames[a]
	}
	return fmt.Sprintf("action 0x%X", uint32(a))
}

// NotifyEvent is one change of a CHANGE_NOTIFY.
//
// MS-FSCC 2.7.1
type NotifyEvent struct {
	Action NotifyAction
	Name   string // relative to the watched directory, separated by backslashes
}

const notifyEventFixed = 12

// AppendNotifyEvents appends a list of FILE_NOTIFY_INFORMATION.
func AppendNotifyEvents(b []byte, events []NotifyEvent) []byte {
	for i, e := range events {
		start := len(b)
		b = le.AppendUint32(b, 0) // NextEntryOffset
		b = le.AppendUint32(b, uint32(e.Action))
		b = le.AppendUint32(b, uint32(UTF16Len(e.Name)))
		b = AppendUTF16(b, e.Name)
		if i < len(events)-1 {
			b = align(b, start, 4)
			le.PutUint32(b[start:], uint32(len(b)-start))
		}
	}
	return b
}

// DecodeNotifyEvents reads the output of a CHANGE_NOTIFY. If a name is not UTF-16 the error is a *UTF16Error and the events are
// complete all the same, that name with U+FFFD in it: since no path says which file it is, the caller lists the directory
// again. With every other error there are no events.
func DecodeNotifyEvents(list []byte) ([]NotifyEvent, error) {
	const what = "FILE_NOTIFY_INFORMATION"
	var events []NotifyEvent
	var badName error
	for len(list) > 0 {
		entry, rest, err := nextEntry(what, list, notifyEventFixed)
		if err != nil {
			return nil, err
		}
		raw, err := within(what, "FileName", entry, notifyEventFixed, uint64(le.Uint32(entry[8:])))
		if err != nil {
			return nil, err
		}
		name, err := DecodeUTF16(raw)
		if err != nil && badName == nil {
			badName = fmt.Errorf("decode %s: FileName: %w", what, err)
		}
		events = append(events, NotifyEvent{NotifyAction(le.Uint32(entry[4:])), name})
		list = rest
	}
	return events, badName
}
