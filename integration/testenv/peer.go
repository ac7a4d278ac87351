package testenv

import (
	"fmt"
	"net"
	"time"

	"github.com/hirochachacha/go-smb2"
)

// Peer is a second SMB client, made of other people's code: what it writes and
// reads is judged by nobody of this project.
type Peer struct {
	*smb2.Share
	session *smb2.Session
	conn    net.Conn
}

// DialPeer connects the second client to the server's share.
func DialPeer(s *Samba) (*Peer, error) {
	conn, err := net.DialTimeout("tcp", s.Addr(), 10*time.Second)
	if err != nil {
		return nil, fmt.Errorf("second client: %w", err)
	}
	d := &smb2.Dialer{Initiator: &smb2.NTLMInitiator{User: s.User, Password: s.Password}}
	session, err := d.Dial(conn)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("second client: session: %w", err)
	}
	share, err := session.Mount(fmt.Sprintf(`\\%s\%s`, s.Host, s.Share))
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("second client: tree: %w", err)
	}
	return &Peer{Share: share, session: session, conn: conn}, nil
}

// Close drops the connection. No LOGOFF is sent: this library's Logoff panics
// when a request is in flight.
func (p *Peer) Close() error {
	_ = p.Umount()
	return p.conn.Close()
}
