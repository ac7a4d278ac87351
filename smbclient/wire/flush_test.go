package wire

import "testing"

var flushSamples = []sample{body(&FlushRequest{FileID: someOpen}, 0)}

func FuzzFlushRequest(f *testing.F) { fuzz[FlushRequest](f) }
