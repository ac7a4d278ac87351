package wire

import "testing"

var negotiateContextSamples = []sample{
	part(&PreauthIntegrityCapabilities{HashAlgorithms: []HashAlgorithm{HashSHA512}, Salt: []byte("a salt of some length")}, 0),
	part(&EncryptionCapabilities{Ciphers: []Cipher{CipherAES256GCM, CipherAES128CCM}}, 0),
	part(&SigningCapabilities{Algorithms: []SigningAlgorithm{SigningAESGMAC, SigningHMACSHA256}}, 0),
	{msg: ptr(NetName("server")), valid: []int{0, 2, 4, 6, 8, 10}},
}

func ptr[T any](v T) *T { return &v }

func TestContextTypes(t *testing.T) {
	for want, got := range map[ContextType]ContextType{
		0x0001: new(PreauthIntegrityCapabilities).Context().Type,
		0x0002: new(EncryptionCapabilities).Context().Type,
		0x0005: NetName("s").Context().Type,
		0x0008: new(SigningCapabilities).Context().Type,
	} {
		if got != want {
			t.Errorf("type %d, want %d", got, want)
		}
	}
}

func TestAlgorithmNames(t *testing.T) {
	if got := CipherAES256GCM.String() + " " + SigningAESGMAC.String() + " " + Cipher(9).String(); got != "AES-256-GCM AES-GMAC 0x0009" {
		t.Error(got)
	}
}

func FuzzPreauthIntegrityCapabilities(f *testing.F) { fuzz[PreauthIntegrityCapabilities](f) }

func FuzzEncryptionCapabilities(f *testing.F) { fuzz[EncryptionCapabilities](f) }

func FuzzSigningCapabilities(f *testing.F) { fuzz[SigningCapabilities](f) }

func FuzzNetName(f *testing.F) { fuzz[NetName](f) }
