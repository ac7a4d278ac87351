package wire

import "testing"

var changeNotifySamples = []sample{
	body(&ChangeNotifyRequest{Flags: WatchTree, OutputBufferLength: 1 << 16, FileID: someOpen, CompletionFilter: CompletionFilterAll}, 0),
	body(&ChangeNotifyResponse{Output: []byte("events")}, 0),
	body(&ChangeNotifyResponse{}, 0),
}

func FuzzChangeNotifyRequest(f *testing.F) { fuzz[ChangeNotifyRequest](f) }

func FuzzChangeNotifyResponse(f *testing.F) { fuzz[ChangeNotifyResponse](f) }
