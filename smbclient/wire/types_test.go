package wire

import "testing"

// MS-DTYP 2.3.4.3, the curly braced form without its braces.
func TestGUIDString(t *testing.T) {
	g := GUID(unhex("339e80bb746f9b429d3947d6d5405324"))
	if got := g.String(); got != "bb809e33-6f74-429b-9d39-47d6d5405324" {
		t.Error(got)
	}
}
