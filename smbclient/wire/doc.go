// Package wire encodes and decodes the structures of SMB 2 and 3 ([MS-SMB2]), the file system structures
// that travel inside them ([MS-FSCC]) and nothing else: no I/O, no state, no goroutine, no lock.
//
// Every message is a pair of types, XxxRequest and XxxResponse, each with two methods. Append appends the body,
// that is everything behind the 64-byte [Header]; Decode reads one. Both directions of both are here, because
// the tests' scripted server speaks the other half.
//
// Rules:
//
//   - Checked on decode, trusted on encode. Decode never panics, whatever the bytes, and never allocates more than a
//     small multiple of its input. Append neither checks nor truncates: a caller that hands it a name of 64 KiB
//     gets a broken message.
//   - The specification counts offsets in a message from the start of its header. The body follows the
//     header directly, so an offset into the body is the wire's offset less [HeaderSize].
//   - Byte slices in a decoded structure alias the input. Who keeps one beyond the life of the receive buffer
//     copies it. Strings are copies.
//   - Decode accepts bytes behind the structure: padding, the data of a READ, the next message of a compound.
//   - Decode sets every field: a structure can be decoded into again.
//   - The section numbers of MS-FSCC move from revision to revision: what to look for there is the name of the type.
//   - Names are converted between UTF-16 and UTF-8 and otherwise passed through. Whether a name may reach the file
//     system (no slash, no NUL, not "..") is for the caller to decide.
//
// [MS-SMB2]: https://learn.microsoft.com/en-us/openspecs/windows_protocols/ms-smb2
// [MS-FSCC]: https://learn.microsoft.com/en-us/openspecs/windows_protocols/ms-fscc
package wire
