package wire

// outputFixed is the length of the fixed part that the responses to QUERY_DIRECTORY, QUERY_INFO and CHANGE_NOTIFY share: a
// buffer and nothing else.
//
// MS-SMB2 2.2.34, 2.2.36, 2.2.38
const outputFixed = 8

func appendOutput(b, output []byte) []byte {
	b = le.AppendUint16(b, 9)
	b = le.AppendUint16(b, HeaderSize+outputFixed)
	b = le.AppendUint32(b, uint32(len(output)))
	return append(b, output...)
}

func decodeOutput(what string, body []byte) ([]byte, error) {
	if err := checkBody(what, body, 9); err != nil {
		return nil, err
	}
	return field(what, "OutputBuffer", body, outputFixed, uint32(le.Uint16(body[2:])), le.Uint32(body[4:]))
}
