package wire

import "testing"

var emptySamples = []sample{
	body(&LogoffRequest{}, 0), body(&LogoffResponse{}, 0),
	body(&TreeDisconnectRequest{}, 0), body(&TreeDisconnectResponse{}, 0),
	body(&CancelRequest{}, 0),
	body(&EchoRequest{}, 0), body(&EchoResponse{}, 0),
	body(&FlushResponse{}, 0), body(&LockResponse{}, 0),
}

func FuzzLogoffRequest(f *testing.F) { fuzz[LogoffRequest](f) }

func FuzzLogoffResponse(f *testing.F) { fuzz[LogoffResponse](f) }

func FuzzTreeDisconnectRequest(f *testing.F) { fuzz[TreeDisconnectRequest](f) }

func FuzzTreeDisconnectResponse(f *testing.F) { fuzz[TreeDisconnectResponse](f) }

func FuzzCancelRequest(f *testing.F) { fuzz[CancelRequest](f) }

func FuzzEchoRequest(f *testing.F) { fuzz[EchoRequest](f) }

func FuzzEchoResponse(f *testing.F) { fuzz[EchoResponse](f) }

func FuzzFlushResponse(f *testing.F) { fuzz[FlushResponse](f) }

func FuzzLockResponse(f *testing.F) { fuzz[LockResponse](f) }
