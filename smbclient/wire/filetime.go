package wire

import "time"

// Filetime counts 100 ns steps since 1601-01-01 UTC (MS-DTYP 2.3.3). Zero says, in what a server tells, that it does
// not know the time, and in a FILE_BASIC_INFORMATION being set that the time is not to be changed (MS-FSCC 2.4.7).
type Filetime uint64

// Values of a time in a FILE_BASIC_INFORMATION being set that are no times: the server stops, or starts again, to
// update that time by itself for operations on this handle.
//
// MS-FSCC 2.4.7
const (
	FiletimeUnchanged   Filetime = 0
	FiletimeStopUpdate  Filetime = 0xFFFFFFFFFFFFFFFF // -1
	FiletimeStartUpdate Filetime = 0xFFFFFFFFFFFFFFFE // -2
)

const (
	filetimeTick   = 100                // nanoseconds
	ticksPerSecond = 1e9 / filetimeTick // steps a second
	epochSeconds   = 11644473600        // 1601-01-01 to 1970-01-01
)

// Time converts to a time in UTC. Zero converts to the zero Time, so that IsZero tells "unknown". Every other value
// converts without loss.
func (t Filetime) Time() time.Time {
	if t == 0 {
		return time.Time{}
	}
	return time.Unix(int64(t/ticksPerSecond)-epochSeconds, int64(t%ticksPerSecond)*filetimeTick).UTC()
}

// FiletimeOf converts a time, rounding down to 100 ns. The zero Time converts to 0; a time before the first step of 1601
// converts to 1, since 0 would mean something else, and one after the last that the signed 64 bits of the wire hold
// (the year 30828) to that last.
func FiletimeOf(t time.Time) Filetime {
	if t.IsZero() {
		return 0
	}
	const last = Filetime(1<<63 - 1)
	sec := t.Unix() + epochSeconds
	switch {
	case sec < 0:
		return 1
	case sec >= int64(last/ticksPerSecond):
		return last
	}
	return max(1, Filetime(sec)*ticksPerSecond+Filetime(t.Nanosecond()/filetimeTick))
}
