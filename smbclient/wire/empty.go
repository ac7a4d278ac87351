package wire

// emptySize is the StructureSize of the messages that say nothing beyond their command.
const emptySize = 4

func appendEmpty(b []byte) []byte {
	b = le.AppendUint16(b, emptySize)
	return le.AppendUint16(b, 0) // Reserved
}

func decodeEmpty(what string, body []byte) error { return checkBody(what, body, emptySize) }
