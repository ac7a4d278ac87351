package wire

import (
	"errors"
	"testing"
)

var createContextSamples = []sample{
	part(&LeaseContext{Version: 1, LeaseKey: LeaseKey{1}, LeaseState: LeaseRead | LeaseWrite, Flags: LeaseBreakInProgress}, 0),
	{msg: &LeaseContext{Version: 2, LeaseKey: LeaseKey{1}, LeaseState: LeaseHandle, Flags: LeaseParentKeySet, ParentLeaseKey: LeaseKey{2}, Epoch: 3},
		valid: []int{leaseV1Size}},
	part(&DurableRequest{}, 0),
	part(&DurableResponse{}, 0),
	part(&DurableReconnect{FileID: someOpen}, 0),
	part(&DurableV2Request{Timeout: 60000, Flags: DurablePersistent, CreateGUID: GUID{1, 2}}, 0),
	part(&DurableV2Response{Timeout: 60000, Flags: DurablePersistent}, 0),
	part(&DurableReconnectV2{FileID: someOpen, CreateGUID: GUID{3}, Flags: DurablePersistent}, 0),
	part(&MaximalAccessRequest{}, 0),
	{msg: &MaximalAccessRequest{Timestamp: 133000000000000000}, valid: []int{0}},
	part(&MaximalAccessResponse{QueryStatus: StatusAccessDenied, MaximalAccess: GenericRead}, 0),
	part(&QueryOnDiskIDRequest{}, 0),
	part(&QueryOnDiskIDResponse{DiskFileID: 1 << 50, VolumeID: 1 << 40}, 0),
}

// MS-SMB2 2.2.13.2: the names, and how long the data are.
func TestCreateContextsOnTheWire(t *testing.T) {
	for _, c := range []struct {
		got  CreateContext
		name string
		size int
	}{
		{new(LeaseContext).Context(), "RqLs", 32},
		{(&LeaseContext{Version: 2}).Context(), "RqLs", 52},
		{new(DurableRequest).Context(), "DHnQ", 16},
		{new(DurableResponse).Context(), "DHnQ", 8},
		{new(DurableReconnect).Context(), "DHnC", 16},
		{new(DurableV2Request).Context(), "DH2Q", 32},
		{new(DurableV2Response).Context(), "DH2Q", 8},
		{new(DurableReconnectV2).Context(), "DH2C", 36},
		{new(MaximalAccessRequest).Context(), "MxAc", 0},
		{new(MaximalAccessResponse).Context(), "MxAc", 8},
		{new(QueryOnDiskIDRequest).Context(), "QFid", 0},
		{new(QueryOnDiskIDResponse).Context(), "QFid", 32},
	} {
		if c.got.Name != c.name || len(c.got.Data) != c.size {
			t.Errorf("%s with %d bytes, want %s with %d", c.got.Name, len(c.got.Data), c.name, c.size)
		}
	}
}

func TestLeaseContextOfNoVersion(t *testing.T) {
	for _, n := range []int{33, 51, 53} {
		if err := new(LeaseContext).Decode(make([]byte, n)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%d bytes: error %v", n, err)
		}
	}
}

func FuzzLeaseContext(f *testing.F) { fuzz[LeaseContext](f) }

func FuzzDurableRequest(f *testing.F) { fuzz[DurableRequest](f) }

func FuzzDurableResponse(f *testing.F) { fuzz[DurableResponse](f) }

func FuzzDurableReconnect(f *testing.F) { fuzz[DurableReconnect](f) }

func FuzzDurableV2Request(f *testing.F) { fuzz[DurableV2Request](f) }

func FuzzDurableV2Response(f *testing.F) { fuzz[DurableV2Response](f) }

func FuzzDurableReconnectV2(f *testing.F) { fuzz[DurableReconnectV2](f) }

func FuzzMaximalAccessRequest(f *testing.F) { fuzz[MaximalAccessRequest](f) }

func FuzzMaximalAccessResponse(f *testing.F) { fuzz[MaximalAccessResponse](f) }

func FuzzQueryOnDiskIDResponse(f *testing.F) { fuzz[QueryOnDiskIDResponse](f) }
