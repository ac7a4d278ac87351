package smbclient

import "smbfs/smbclient/wire"

// ServerCapabilities are those that the server named in its NEGOTIATE response (MS-SMB2 2.2.4). Some it names only to clients that
// have them too.
func (c *Connection) ServerCapabilities() wire.Capabilities { return c.negotiated.serverCaps }

// ServerRequiresSigning reports whether the server demands signatures of every client.
func (c *Connection) ServerRequiresSigning() bool {
	return c.negotiated.serverMode&wire.SigningRequired != 0
}
