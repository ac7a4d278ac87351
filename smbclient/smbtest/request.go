package smbtest

import (
	"encoding/binary"
	"sync"
	"sync/atomic"

	"smbfs/smbclient/wire"
)

// Request is one command of a client.
type Request struct {
	Conn    *Conn
	Header  wire.Header
	Body    []byte
	Message []byte // header and body, with the padding of a compound
	Sealed  bool

	batch    *batch
	previous *Request    // in a related compound
	fileID   wire.FileID // for the request related to this one
	status   wire.Status // likewise
	asyncID  uint64
	alter    func(body []byte)  // sees the bodies of successes
	lease    *wire.LeaseContext // what a CREATE grants; nil: none
}

// Alter has the body of the answer changed if it is a success, before it is signed and encrypted: what the server says is authentic, and
// a lie. The rest is up to Serve.
func (r *Request) Alter(f func(body []byte)) { r.alter = f }

// Body is the body of a message.
type Body interface{ Append([]byte) []byte }

// Response is what is about to be sent. Everything in it may be changed before Send.
type Response struct {
	Header wire.Header
	Body   []byte
	Sign   bool
	Seal   bool
	Mutate func(msg []byte) []byte // sees the message after it was signed and before it is encrypted; may be nil

	// Transmit, if not nil, sends the transport message that the response is in, its header included, with WriteRaw: in parts, slowly,
	// or not at all.
	Transmit func(c *Conn, message []byte)

	request *Request
}

// Response prepares the response that the protocol wants: same ids, credits granted, protected as the request was. A nil body is
// that of an error.
func (r *Request) Response(status wire.Status, body Body) *Response {
	if body == nil {
		body = &wire.ErrorResponse{}
	}
	resp := &Response{
		Header: wire.Header{
			CreditCharge: r.Header.CreditCharge,
			Status:       status,
			Command:      r.Header.Command,
			Credits:      r.Conn.server.options.Grant(&r.Header),
			Flags:        wire.FlagServerToRedir | r.Header.Flags&wire.FlagRelated,
			MessageID:    r.Header.MessageID,
			TreeID:       r.Header.TreeID,
			SessionID:    r.Header.SessionID,
		},
		Body:    body.Append(nil),
		Seal:    r.Sealed,
		Sign:    !r.Sealed && r.Header.Flags&wire.FlagSigned != 0,
		request: r,
	}
	if r.asyncID != 0 {
		resp.Header.Flags |= wire.FlagAsync
		resp.Header.AsyncID = r.asyncID
	}
	r.status = status
	if r.alter != nil && status == wire.StatusSuccess {
		r.alter(resp.Body)
	}
	return resp
}

// Reply sends that response.
func (r *Request) Reply(status wire.Status, body Body) { r.Response(status, body).Send() }

// nextAsyncID numbers the asynchronous requests of all servers.
var nextAsyncID atomic.Uint64

// Interim sends an interim response, with the credits; the final one grants none.
func (r *Request) Interim() {
	r.asyncID = nextAsyncID.Add(1)
	resp := r.Response(wire.StatusPending, nil)
	resp.Sign = false
	resp.Send()
	r.Header.Credits = 0
}

// Final sends the response after an Interim, granting no credits.
func (r *Request) Final(status wire.Status, body Body) {
	resp := r.Response(status, body)
	resp.Header.Credits = 0
	resp.Send()
}

// Send sends the response: at once, or with the other responses of a compound.
func (resp *Response) Send() {
	r := resp.request
	if !r.batch.add(resp) {
		b := &batch{conn: r.Conn, responses: []*Response{resp}}
		b.flush()
	}
}

// encode lays out one response, padded if another follows.
func (resp *Response) encode(last bool) []byte {
	msg := append(resp.Header.Append(nil), resp.Body...)
	if !last {
		for len(msg)%8 != 0 {
			msg = append(msg, 0)
		}
		wire.PutNextCommand(msg, uint32(len(msg)))
	}
	s := resp.request.Conn.currentSession()
	if resp.Sign && s != nil && s.signer != nil {
		resp.Header.Flags |= wire.FlagSigned
		wire.PutFlags(msg, resp.Header.Flags)
		wire.PutSignature(msg, s.signer.Sign(msg))
	}
	if resp.Mutate != nil {
		msg = resp.Mutate(msg)
	}
	return msg
}

// batch gathers the responses to a message while its requests are being served.
type batch struct {
	conn *Conn

	mu        sync.Mutex
	responses []*Response // guarded by mu
	done      bool        // guarded by mu: the requests have all been served
}

// add takes a response along, unless the message is through or the response is an interim one.
func (b *batch) add(resp *Response) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.done || resp.Header.Status == wire.StatusPending {
		return false
	}
	b.responses = append(b.responses, resp)
	return true
}

// flush sends what was gathered as one message.
func (b *batch) flush() {
	b.mu.Lock()
	responses := b.responses
	b.done = true
	b.mu.Unlock()
	if len(responses) == 0 {
		return
	}
	var msg []byte
	seal := false
	for i, resp := range responses {
		msg = append(msg, resp.encode(i == len(responses)-1)...)
		seal = seal || resp.Seal
		b.conn.mu.Lock()
		b.conn.window.grant(int(resp.Header.Credits))
		b.conn.mu.Unlock()
	}
	if seal {
		msg = b.conn.seal(msg)
	}
	if transmit := responses[0].Transmit; transmit != nil {
		transmit(b.conn, Message(msg))
		return
	}
	b.conn.WriteRaw(Message(msg))
}

// seal encrypts a message and puts the transform header in front.
func (c *Conn) seal(msg []byte) []byte {
	s := c.currentSession()
	h := wire.TransformHeader{OriginalMessageSize: uint32(len(msg)), Flags: wire.TransformEncrypted, SessionID: s.id}
	header := h.Append(nil)
	sealed, err := s.sealer.Seal(nil, header, msg)
	if err != nil {
		panic(err) // a test's server cannot use up its nonces
	}
	return append(header, sealed...)
}

// Notify sends a message that nobody asked for, such as an OPLOCK_BREAK.
func (c *Conn) Notify(command wire.Command, body Body) {
	h := wire.Header{Command: command, Flags: wire.FlagServerToRedir, MessageID: ^uint64(0)}
	c.WriteRaw(Message(body.Append(h.Append(nil))))
}

// handlers serve the commands.
var handlers map[wire.Command]func(*Request)

func init() {
	handlers = map[wire.Command]func(*Request){
		wire.CommandNegotiate:      (*Request).negotiate,
		wire.CommandSessionSetup:   (*Request).sessionSetup,
		wire.CommandLogoff:         func(r *Request) { r.Reply(wire.StatusSuccess, &wire.LogoffResponse{}) },
		wire.CommandTreeConnect:    (*Request).treeConnect,
		wire.CommandTreeDisconnect: func(r *Request) { r.Reply(wire.StatusSuccess, &wire.TreeDisconnectResponse{}) },
		wire.CommandCreate:         (*Request).create,
		wire.CommandClose:          (*Request).close,
		wire.CommandFlush:          func(r *Request) { r.Reply(wire.StatusSuccess, &wire.FlushResponse{}) },
		wire.CommandRead:           (*Request).read,
		wire.CommandWrite:          (*Request).write,
		wire.CommandIoctl:          (*Request).ioctl,
		wire.CommandCancel:         (*Request).cancel,
		wire.CommandEcho:           func(r *Request) { r.Reply(wire.StatusSuccess, &wire.EchoResponse{}) },
		wire.CommandQueryDirectory: (*Request).queryDirectory,
		wire.CommandChangeNotify:   (*Request).changeNotify,
		wire.CommandQueryInfo:      (*Request).queryInfo,
		wire.CommandSetInfo:        (*Request).setInfo,
	}
}

// Serve answers the request as a server does.
func (r *Request) Serve() {
	if r.previous != nil && r.previous.status.Severity() == wire.SeverityError {
		r.Reply(r.previous.status, nil)
		return
	}
	serve := handlers[r.Header.Command]
	if serve == nil {
		r.Reply(wire.StatusNotSupported, nil)
		return
	}
	serve(r)
}

// decode reads the body, and answers the request itself if it cannot.
func (r *Request) decode(v interface{ Decode([]byte) error }) bool {
	if err := v.Decode(r.Body); err != nil {
		r.Conn.server.violation("%v: %v", r.Header.Command, err)
		r.Reply(wire.StatusInvalidParameter, nil)
		return false
	}
	return true
}

// related gives the FileID that a request is about.
func (r *Request) related(id wire.FileID) wire.FileID {
	if r.previous != nil && id == wire.RelatedFileID {
		id = r.previous.fileID
	}
	r.fileID = id
	return id
}

// Message wraps bytes as one transport message, for WriteRaw.
func Message(b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}
