package wire

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// codec is what every message and structure of the package is.
type codec interface {
	Append([]byte) []byte
	Decode([]byte) error
}

// sample is one message for the tests that hold for all.
type sample struct {
	msg codec
	// tail is the number of bytes at the end of the encoding that a decoder can do without: padding.
	tail int
	// sized says that the encoding starts with a StructureSize, as the bodies of messages do.
	sized bool
	// valid are lengths of prefixes that are structures of their own.
	valid []int
}

// body is a sample of a message's body, with tail bytes of padding at its end.
func body(msg codec, tail int) sample { return sample{msg: msg, tail: tail, sized: true} }

// part is a sample of something inside a message.
func part(msg codec, tail int) sample { return sample{msg: msg, tail: tail} }

func (s sample) name() string { return reflect.TypeOf(s.msg).Elem().Name() }

// fresh returns a zero value of the sample's type.
func (s sample) fresh() codec {
	return reflect.New(reflect.TypeOf(s.msg).Elem()).Interface().(codec)
}

// encode returns the wire form with the data that Append leaves to its caller.
func encode(msg codec) []byte {
	b := msg.Append(nil)
	if w, ok := msg.(*WriteRequest); ok {
		b = append(b, w.Data...)
	}
	return b
}

// samples has at least one of every type; each file's test adds its own.
var samples = slices.Concat(
	headerSamples, negotiateSamples, negotiateContextSamples, sessionSetupSamples, emptySamples, treeConnectSamples,
	createSamples, createContextSamples, closeSamples, flushSamples, readSamples, writeSamples, lockSamples, ioctlSamples,
	validateNegotiateSamples, copychunkSamples, reparseSamples, queryDirectorySamples, dirEntrySamples,
	changeNotifySamples, notifyEventSamples, queryInfoSamples, setInfoSamples, oplockBreakSamples, errorSamples,
	fileInfoSamples, fileSetInfoSamples, fsInfoSamples,
)

func eachSample(t *testing.T, f func(t *testing.T, s sample)) {
	for i, s := range samples {
		t.Run(fmt.Sprintf("%s-%d", s.name(), i), func(t *testing.T) { f(t, s) })
	}
}

func TestRoundTrip(t *testing.T) {
	eachSample(t, func(t *testing.T, s sample) {
		got := s.fresh()
		if err := got.Decode(encode(s.msg)); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, s.msg) {
			t.Errorf("got  %+v\nwant %+v", got, s.msg)
		}
	})
}

// Offsets count from where the message starts, not from where the buffer does.
func TestAppendBehindOtherBytes(t *testing.T) {
	eachSample(t, func(t *testing.T, s sample) {
		got := s.msg.Append([]byte("xyz"))
		if want := s.msg.Append(nil); !bytes.Equal(got[3:], want) {
			t.Errorf("got  %x\nwant %x", got[3:], want)
		}
	})
}

// A structure that was decoded into before shows nothing of it.
func TestDecodeAgain(t *testing.T) {
	eachSample(t, func(t *testing.T, s sample) {
		for _, other := range samples {
			if other.name() != s.name() {
				continue
			}
			got := s.fresh()
			if err := got.Decode(encode(other.msg)); err != nil {
				t.Fatal(err)
			}
			if err := got.Decode(encode(s.msg)); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, s.msg) {
				t.Errorf("after %+v:\ngot  %+v\nwant %+v", other.msg, got, s.msg)
			}
		}
	})
}

func TestEveryPrefixFails(t *testing.T) {
	eachSample(t, func(t *testing.T, s sample) {
		enc := encode(s.msg)
		for n := range len(enc) - s.tail {
			if slices.Contains(s.valid, n) {
				continue
			}
			err := s.fresh().Decode(enc[:n:n])
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("the first %d of %d bytes: error %v", n, len(enc), err)
			}
		}
		if n := len(enc) - s.tail; s.fresh().Decode(enc[:n:n]) != nil {
			t.Errorf("%d of %d bytes do not do without the padding", n, len(enc))
		}
	})
}

func TestWrongStructureSize(t *testing.T) {
	for _, s := range samples {
		if !s.sized {
			continue
		}
		enc := encode(s.msg)
		enc[0]++
		if err := s.fresh().Decode(enc); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: error %v", s.name(), err)
		}
	}
}

// Whatever the bytes: an error or a structure, no panic, and nothing read beyond the end.
func TestDamage(t *testing.T) {
	const rounds = 2000
	eachSample(t, func(t *testing.T, s sample) {
		rnd := rand.New(rand.NewPCG(1, 2))
		enc := encode(s.msg)
		for range rounds {
			bad := slices.Clone(enc)
			for range 1 + rnd.IntN(3) {
				if len(bad) > 0 {
					bad[rnd.IntN(len(bad))] = [...]byte{0, 1, 0x7F, 0x80, 0xFF, byte(rnd.Uint32())}[rnd.IntN(6)]
				}
			}
			n := rnd.IntN(len(bad) + 1)
			checkDecode(t, s.fresh(), bad[:n:n])
		}
	})
}

func TestRandomBytes(t *testing.T) {
	eachSample(t, func(t *testing.T, s sample) {
		rnd := rand.New(rand.NewPCG(3, 4))
		for n := range 300 {
			b := make([]byte, n)
			for i := range b {
				b[i] = byte(rnd.Uint32())
			}
			checkDecode(t, s.fresh(), b)
		}
	})
}

// checkDecode decodes b. An error has to be typed; a structure has to survive being encoded and decoded again.
func checkDecode(t *testing.T, c codec, b []byte) {
	t.Helper()
	if err := c.Decode(b); err != nil {
		if !errors.Is(err, ErrMalformed) {
			t.Errorf("%T: error %v is not an ErrMalformed", c, err)
		}
		return
	}
	forget(c)
	again := reflect.New(reflect.TypeOf(c).Elem()).Interface().(codec)
	if err := again.Decode(encode(c)); err != nil {
		t.Fatalf("%+v\ndoes not decode again: %v", c, err)
	}
	forget(again)
	if !reflect.DeepEqual(again, c) {
		t.Errorf("%x decodes to\n%+v, and then to\n%+v", b, c, again)
	}
}

// forget clears what is true of one encoding only and not of the message.
func forget(c codec) {
	switch c := c.(type) {
	case *ReadResponse:
		c.DataOffset = 0
	case *FileAllInformation:
		c.NameCut = false
	case *DirEntries:
		for i := range *c {
			(*c)[i].BadName = false
		}
	}
}

// fuzz is the body of every fuzz target: the corpus is the encodings of the samples of T.
func fuzz[T any, P interface {
	*T
	codec
}](f *testing.F) {
	for _, s := range samples {
		if _, ok := s.msg.(P); ok {
			f.Add(encode(s.msg))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 32<<10 {
			return // names of more than 64 KiB cannot be encoded, two of half of it neither
		}
		checkDecode(t, P(new(T)), b)
	})
}
