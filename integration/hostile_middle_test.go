package integration

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"smbfs/integration/testenv"
	"smbfs/smbclient/wire"
)

// middle stands between a mount and its server and sees every message whole. What it lets through,
// and as what, is for the test to say.
type middle struct {
	Port     int
	server   string
	listener net.Listener
	served   sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn                               // guarded by mu
	pass  func(fromServer bool, msg []byte) []byte // guarded by mu; nil: everything passes. Returning nil drops the message
}

func standBetween(t *testing.T, s *testenv.Samba) *middle {
	t.Helper()
	l := try[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	m := &middle{Port: l.Addr().(*net.TCPAddr).Port, server: s.Addr(), listener: l}
	m.served.Go(m.accept)
	t.Cleanup(m.close)
	return m
}

// Pass sets what becomes of each message from now on.
func (m *middle) Pass(f func(fromServer bool, msg []byte) []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pass = f
}

func (m *middle) accept() {
	for {
		client, err := m.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", m.server)
		if err != nil {
			client.Close()
			continue
		}
		m.mu.Lock()
		m.conns = append(m.conns, client, server)
		m.mu.Unlock()
		m.served.Go(func() { m.carry(server, client, false) })
		m.served.Go(func() { m.carry(client, server, true) })
	}
}

// carry ends when either side does.
func (m *middle) carry(to, from net.Conn, fromServer bool) {
	defer to.Close()
	defer from.Close()
	for {
		msg, err := readMessage(from)
		if err != nil {
			return
		}
		m.mu.Lock()
		pass := m.pass
		m.mu.Unlock()
		if pass != nil {
			msg = pass(fromServer, msg)
		}
		if msg == nil {
			continue
		}
		if _, err := to.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(msg))), msg...)); err != nil {
			return
		}
	}
}

func (m *middle) close() {
	m.listener.Close()
	m.mu.Lock()
	for _, c := range m.conns {
		c.Close()
	}
	m.mu.Unlock()
	m.served.Wait()
}

// readMessage reads one message of the direct TCP transport (MS-SMB2 2.1).
func readMessage(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n >= 1<<24 {
		return nil, errors.New("not an SMB message")
	}
	msg := make([]byte, n)
	_, err := io.ReadFull(r, msg)
	return msg, err
}

// isResponse tells whether a message is an unencrypted response to the command.
func isResponse(fromServer bool, msg []byte, command wire.Command) bool {
	var h wire.Header
	return fromServer && h.Decode(msg) == nil && h.Command == command
}
