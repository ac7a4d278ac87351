package wire

import "testing"

var oplockBreakSamples = []sample{
	body(&OplockBreakNotification{OplockBreak{OplockII, someOpen}}, 0),
	body(&OplockBreakRequest{OplockBreak{OplockII, someOpen}}, 0),
	body(&OplockBreakResponse{OplockBreak{OplockNone, someOpen}}, 0),
	body(&LeaseBreakNotification{
		NewEpoch: 3, Flags: LeaseBreakAckRequired, LeaseKey: LeaseKey{1, 2}, CurrentLeaseState: LeaseRead | LeaseWrite, NewLeaseState: LeaseRead,
	}, 0),
	body(&LeaseBreakRequest{LeaseBreak{LeaseKey{3, 4}, LeaseHandle}}, 0),
	body(&LeaseBreakResponse{LeaseBreak{LeaseKey{5, 6}, LeaseNone}}, 0),
}

func TestIsLeaseBreak(t *testing.T) {
	for _, s := range oplockBreakSamples {
		var want bool
		switch s.msg.(type) {
		case *LeaseBreakNotification, *LeaseBreakRequest, *LeaseBreakResponse:
			want = true
		}
		if got := IsLeaseBreak(s.msg.Append(nil)); got != want {
			t.Errorf("%s: %v", s.name(), got)
		}
	}
	if IsLeaseBreak(nil) {
		t.Error("nothing is a lease break")
	}
}

func FuzzOplockBreakNotification(f *testing.F) { fuzz[OplockBreakNotification](f) }

func FuzzOplockBreakRequest(f *testing.F) { fuzz[OplockBreakRequest](f) }

func FuzzOplockBreakResponse(f *testing.F) { fuzz[OplockBreakResponse](f) }

func FuzzLeaseBreakNotification(f *testing.F) { fuzz[LeaseBreakNotification](f) }

func FuzzLeaseBreakRequest(f *testing.F) { fuzz[LeaseBreakRequest](f) }

func FuzzLeaseBreakResponse(f *testing.F) { fuzz[LeaseBreakResponse](f) }
