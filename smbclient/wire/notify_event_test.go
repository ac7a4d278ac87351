package wire

import (
	"errors"
	"reflect"
	"testing"
)

// NotifyEvents makes a codec of the list.
type NotifyEvents []NotifyEvent

func (l *NotifyEvents) Append(b []byte) []byte { return AppendNotifyEvents(b, *l) }

func (l *NotifyEvents) Decode(b []byte) (err error) {
	*l, err = DecodeNotifyEvents(b)
	return err
}

var notifyEventSamples = []sample{
	{msg: &NotifyEvents{{ActionRenamedOldName, "odd"}, {ActionRenamedNewName, `dir\𝄞`}, {ActionRemoved, "x"}}, valid: []int{0}},
}

func TestNotifyEventsGolden(t *testing.T) {
	for file, want := range map[string][]NotifyEvent{
		"change_notify_response":        {{ActionAdded, "made"}},
		"change_notify_response_rename": {{ActionModified, "made"}, {ActionRenamedOldName, "made"}, {ActionRenamedNewName, "moved"}},
	} {
		var resp ChangeNotifyResponse
		if err := resp.Decode(golden(t, file)[HeaderSize:]); err != nil {
			t.Fatal(err)
		}
		got, err := DecodeNotifyEvents(resp.Output)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v", file, got, err)
		}
	}
}

// No events means that there were too many; it is no error here.
func TestNotifyEventsNone(t *testing.T) {
	if events, err := DecodeNotifyEvents(nil); err != nil || events != nil {
		t.Errorf("%v, %v", events, err)
	}
}

func TestNotifyEventsBadName(t *testing.T) {
	list := AppendNotifyEvents(nil, []NotifyEvent{{ActionAdded, "ab"}, {ActionRemoved, "cd"}})
	copy(list[notifyEventFixed:], "\x00\xD8")
	events, err := DecodeNotifyEvents(list)
	var bad *UTF16Error
	if !errors.As(err, &bad) || !errors.Is(err, ErrMalformed) {
		t.Errorf("error %v", err)
	}
	if want := []NotifyEvent{{ActionAdded, "\uFFFDb"}, {ActionRemoved, "cd"}}; !reflect.DeepEqual(events, want) {
		t.Errorf("%v", events)
	}
}

func TestNotifyEventLoops(t *testing.T) {
	list := AppendNotifyEvents(nil, []NotifyEvent{{ActionAdded, "ab"}, {ActionRemoved, "cd"}})
	for _, next := range []uint32{1, 4, notifyEventFixed - 1, uint32(len(list)), 0xFFFFFFFC} {
		le.PutUint32(list, next)
		if events, err := DecodeNotifyEvents(list); !errors.Is(err, ErrMalformed) || events != nil {
			t.Errorf("next entry at %d: %v, error %v", next, events, err)
		}
	}
}

func TestNotifyActionString(t *testing.T) {
	for a, want := range map[NotifyAction]string{
		0: "action 0x0", ActionAdded: "ADDED", ActionRenamedNewName: "RENAMED_NEW_NAME", ActionTunnelledIDColl: "TUNNELLED_ID_COLLISION",
		12: "action 0xC",
	} {
		if got := a.String(); got != want {
			t.Errorf("%d: %s, want %s", uint32(a), got, want)
		}
	}
}

func FuzzNotifyEvents(f *testing.F) { fuzz[NotifyEvents](f) }
