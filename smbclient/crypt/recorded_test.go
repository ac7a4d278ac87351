package crypt

import (
	"encoding/binary"
	"fmt"
	"testing"
)

// recorded are sessions with Samba 4.17.12 over dialect 3.1.1 with AES-GMAC:
// what authentication and negotiation agreed on, the signed SESSION_SETUP
// response, and the sealed response to an ECHO. No published example covers
// AES-256 or AES-GMAC.
var recorded = []struct {
	cipher                              uint16
	sessionKey, preauth, signed, sealed string
}{
	{CipherAES128CCM, "3ae54bb41ca685b5fb9aa0414c020a5a", `
		7e29d9a71089b614db3ecf94243196bd4c975d538f2f0fa768eaa8421fc8a95b07a53493234e6b7f
		a3c07645619100335b321521e5698e1ad19410b39ecfadce`, `
		fe534d42400001000000000001001f00090000000000000002000000000000000000000000000000
		49771615000000001683fe29e35e1dbc1216faf4ef5350750900000048001d00a11b3019a0030a01
		00a312041001000000747fe886705e80a000000000`, `
		fd534d42c385cf00b03e8c9523bab81667c8b94b010000000000000003cd53000000000044000000
		000001004977161500000000ade2cad0e26143d3328592178a8409c460ad7b9b20af837c01c9ce90
		5c5b83ae47f181d11514f033687429a5e04c214a82686a747d6702669bf937496bb3fc27c8858f4d`},
	{CipherAES128GCM, "9901af08f62e66c96f3790c4c2a487eb", `
		47b1efa9272216ded22188d06351d523972a42bfd8e56fdb6b3cbe7446a8a5b914177a7302845335
		4fbb61ab19911656cc651eeb83afccd62f3d43f88bf81685`, `
		fe534d42400001000000000001001f00090000000000000002000000000000000000000000000000
		19950f9b00000000f78f12357d9d717ec1225e89db9fa9b80900000048001d00a11b3019a0030a01
		00a3120410010000003046e8d7af8fde7c00000000`, `
		fd534d42ad9ff15528c4c157ce5663e8e5f9739d01000000000000004aa1d52a0000000044000000
		0000010019950f9b00000000b0a53087381aa8ddcb832ac9e3929ecbd620bd2dc3d6a06e1fdbd23d
		27c6f0b77a9a3dab0a40774a27fef7b002e670695d9b59e439491c6efa052be81f5b9a6cafe9af38`},
	{CipherAES256CCM, "31098a76282d9da4a55572a870f5d8ba", `
		3182c0cdcf15a5106a190d764ee8bb7263f9d0c8b41cd036b97de0156ac537d1f3731189dc07bec7
		20c1be08cfe3c26b2ad11dacdc4f5d3656e739eb7f8e5066`, `
		fe534d42400001000000000001001f00090000000000000002000000000000000000000000000000
		e63a1f22000000005197c6436ffbf7abbea966ed4c1174c80900000048001d00a11b3019a0030a01
		00a31204100100000096511321fd08794000000000`, `
		fd534d42194a7318ef92d32afc4f654548ad971a010000000000000044a6f8000000000044000000
		00000100e63a1f2200000000998eafdf7c4d59d1a299da0c732bdfccf57aaf472092fb0d46f3f6d9
		4c289632f55a38c036fe1cb7a3b9509a88db504af6fd3a85a74dd0b6413af7c2947d9ef203abe28b`},
	{CipherAES256GCM, "ad66e1b74e0d080bc32278f12b159b3d", `
		579c17a2f35c20b8f98a0a3bde5623a97ea7122c9fa51abea590691e640397e3b9cf06cc5f855a2e
		0ce4a72fe0eaef4c91fb6e9ba9a92e1b52754b8dccaa5884`, `
		fe534d42400001000000000001001f00090000000000000002000000000000000000000000000000
		04c2ada9000000004654a6a143d089646694f79267e4b3bc0900000048001d00a11b3019a0030a01
		00a3120410010000008e62f273392c615200000000`, `
		fd534d42625dc0c04e8754b14057718893b8872201000000000000004dfc6c2c0000000044000000
		0000010004c2ada900000000eab03d631059dcef81c373a54be5af66847bb7b9848ca68d5cde0a87
		29abee720182ad6ffcf1c71e764a3a04b9f0f50bca9f9f47beb25af6c2401904852b943cd03b4b0c`},
}

func TestRecorded(t *testing.T) {
	for _, tt := range recorded {
		t.Run(fmt.Sprint(tt.cipher), func(t *testing.T) {
			k := DeriveKeys(dialect311, unhex(t, tt.sessionKey), unhex(t, tt.preauth), tt.cipher)
			signer, err := NewSigner(SigningAESGMAC, k.SigningKey)
			if err != nil {
				t.Fatal(err)
			}
			if !signer.Verify(unhex(t, tt.signed)) {
				t.Error("signature of the SESSION_SETUP response refused")
			}
			sealer, err := NewSealer(tt.cipher, k.EncryptionKey, k.DecryptionKey)
			if err != nil {
				t.Fatal(err)
			}
			sealed := unhex(t, tt.sealed)
			msg, err := sealer.Open(sealed[:TransformHeaderSize], sealed[TransformHeaderSize:])
			if err != nil {
				t.Fatal(err)
			}
			const commandEcho = 0x000D // MS-SMB2 2.2.1
			if got := binary.LittleEndian.Uint16(msg[commandOffset:]); got != commandEcho || len(msg) != headerSize+4 {
				t.Errorf("command %#x in %d bytes", got, len(msg))
			}
		})
	}
}
