package wire

import (
	"bytes"
	"errors"
	"testing"
)

var signature = [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}

var headerSamples = []sample{
	part(&Header{
		CreditCharge: 2, Status: StatusBufferOverflow, Command: CommandRead, Credits: 33, Flags: FlagServerToRedir | FlagSigned,
		NextCommand: 120, MessageID: 1<<40 + 7, TreeID: 5, SessionID: 1<<50 + 9, Signature: signature,
	}, 0),
	part(&Header{Status: StatusPending, Command: CommandChangeNotify, Flags: FlagServerToRedir | FlagAsync, AsyncID: 1<<60 + 3}, 0),
	part(&TransformHeader{Signature: signature, Nonce: [16]byte{9, 8, 7}, OriginalMessageSize: 1 << 20, Flags: TransformEncrypted, SessionID: 77}, 0),
}

func TestHeaderRefuses(t *testing.T) {
	for name, damage := range map[string]func([]byte){
		"SMB1":               func(b []byte) { b[0] = 0xFF },
		"a transform header": func(b []byte) { b[0] = 0xFD },
		"StructureSize 63":   func(b []byte) { b[4] = 63 },
	} {
		msg := new(Header).Append(nil)
		damage(msg)
		if err := new(Header).Decode(msg); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if err := new(TransformHeader).Decode(make([]byte, TransformHeaderSize)); !errors.Is(err, ErrMalformed) {
		t.Errorf("transform header of zeros: error %v", err)
	}
}

func TestPut(t *testing.T) {
	want := Header{
		CreditCharge: 3, Command: CommandWrite, Credits: 4, Flags: FlagSigned | FlagRelated, NextCommand: 200, MessageID: 6, TreeID: 7,
		SessionID: 8, Signature: signature,
	}
	msg := (&Header{Command: CommandWrite}).Append(nil)
	PutCreditCharge(msg, 3)
	PutCredits(msg, 4)
	PutFlags(msg, FlagSigned|FlagRelated)
	PutNextCommand(msg, 200)
	PutMessageID(msg, 6)
	PutTreeID(msg, 7)
	PutSessionID(msg, 8)
	PutSignature(msg, signature)
	if !bytes.Equal(msg, want.Append(nil)) {
		t.Errorf("got  %x\nwant %x", msg, want.Append(nil))
	}
	if !bytes.Equal(SignatureOf(msg), signature[:]) {
		t.Errorf("SignatureOf %x", SignatureOf(msg))
	}
	enc := new(TransformHeader).Append(nil)
	PutTransformSignature(enc, signature)
	if !bytes.Equal(enc, (&TransformHeader{Signature: signature}).Append(nil)) {
		t.Errorf("transform header %x", enc)
	}
}

// MS-SMB2 3.1.4.3: what is authenticated starts at the nonce.
func TestTransformAADOffset(t *testing.T) {
	h := TransformHeader{Nonce: [16]byte{0xAA}}
	if enc := h.Append(nil); enc[TransformAADOffset] != 0xAA || enc[TransformAADOffset-1] != 0 {
		t.Errorf("the nonce is not at %d of %x", TransformAADOffset, enc)
	}
}

func TestCommandString(t *testing.T) {
	for c, want := range map[Command]string{
		CommandNegotiate: "NEGOTIATE", CommandCancel: "CANCEL", CommandChangeNotify: "CHANGE_NOTIFY", CommandOplockBreak: "OPLOCK_BREAK",
		0x13: "command 0x0013",
	} {
		if got := c.String(); got != want {
			t.Errorf("%d: %s, want %s", uint16(c), got, want)
		}
	}
}

func FuzzHeader(f *testing.F) { fuzz[Header](f) }

func FuzzTransformHeader(f *testing.F) { fuzz[TransformHeader](f) }
