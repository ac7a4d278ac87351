package crypt

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// unhex decodes hexadecimal digits with white space between them.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// blogHash is the pre-authentication hash of the first channel in the 3.1.1
// example of "SMB 2 and SMB 3 security in Windows 10: the anatomy of signing
// and cryptographic keys" (learn.microsoft.com, archive of the Open
// Specifications blog), section "Appendix: Key derivation examples".
const blogHash = `0DD13628CC3ED218EF9DF9772D436D0887AB9814BFAE63A80AA845F36909DB79
	28622DDDAD522D9751640A459762C5A9D6BB084CBB3CE6BDADEF5D5BCE3C6C01`

// TestDeriveKeysPublished checks both channels' examples of the same article.
func TestDeriveKeysPublished(t *testing.T) {
	for _, tt := range []struct {
		name                                string
		dialect                             uint16
		session, hash                       string
		signing, encryption, decryption, ap string
	}{
		{"3.0, first channel", dialect300, "7CD451825D0450D235424E44BA6E78CC", "",
			"0B7E9C5CAC36C0F6EA9AB275298CEDCE", "FAD27796665B313EBB578F388632B4F7",
			"B0F0427F7CEB416D1D9DCC0CD4F99447", "BB23A4575AA26C721AF525AF15A87B4F"},
		{"3.0.2 derives as 3.0", dialect302, "7CD451825D0450D235424E44BA6E78CC", "",
			"0B7E9C5CAC36C0F6EA9AB275298CEDCE", "FAD27796665B313EBB578F388632B4F7",
			"B0F0427F7CEB416D1D9DCC0CD4F99447", "BB23A4575AA26C721AF525AF15A87B4F"},
		{"3.1.1, first channel", dialect311, "270E1BA896585EEB7AF3472D3B4C75A7", blogHash,
			"73FE7A9A77BEF0BDE49C650D8CCB5F76", "629BCBC54422A0F572B97F45989B6073",
			"E2AF0DCEFAC68DA71A0DFBD0D1350D74", "6D7AD7954E9EC61E907B4D473DC178FF"},
		// Session key and keys of "Encryption in SMB 3.0: A protocol perspective".
		{"3.0, encryption article", dialect300, "B4546771B515F766A86735532DD6C4F0", "",
			"F773CD23C18FD1E08EE510CADA7CF852", "261B72350558F2E9DCF613070383EDBF",
			"8FE2B57EC34D2DB5B1A9727F526BBDB5", "77432F808CE99156B5BC6A3676D730D1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := DeriveKeys(tt.dialect, unhex(t, tt.session), unhex(t, tt.hash), CipherAES128GCM)
			equal(t, "SigningKey", k.SigningKey, unhex(t, tt.signing))
			equal(t, "EncryptionKey", k.EncryptionKey, unhex(t, tt.encryption))
			equal(t, "DecryptionKey", k.DecryptionKey, unhex(t, tt.decryption))
			equal(t, "ApplicationKey", k.ApplicationKey, unhex(t, tt.ap))
		})
	}
	// The second channel of 3.0 has a signing key of its own.
	k := DeriveKeys(dialect300, unhex(t, "4E01A2B313BCF660CC250BEF021AEDE6"), nil, 0)
	equal(t, "SigningKey", k.SigningKey, unhex(t, "BA1A17DBBFEC349BCA105563D598952F"))
}

// TestCounterKDFPublished is the first case of the NIST CAVP's KDFCTR_gen.rsp
// for HMAC_SHA256 with a counter of 32 bits before the fixed input data.
func TestCounterKDFPublished(t *testing.T) {
	got := counterKDF(
		unhex(t, "dd1d91b7d90b2bd3138533ce92b272fbf8a369316aefe242e659cc0ae238afe0"),
		unhex(t, `01322b96b30acd197979444e468e1c5c6859bf1b1cf951b7e725303e237e46b8
			64a145fab25e517b08f8683d0315bb2911d80a0e8aba17f3b413faac`))
	equal(t, "key", got[:16], unhex(t, "10621342bfb0fd40046c0e29f2cfdbf0"))
}

// TestDeriveKeys256: an AES-256 cipher changes the keys of the cipher only, and
// those alone see what a session key has beyond 16 bytes. MS-SMB2 3.2.5.3.1.
func TestDeriveKeys256(t *testing.T) {
	hash, session := unhex(t, blogHash), []byte("0123456789abcdef")
	k128 := DeriveKeys(dialect311, session, hash, CipherAES128GCM)
	k256 := DeriveKeys(dialect311, session, hash, CipherAES256GCM)
	equal(t, "SigningKey", k256.SigningKey, k128.SigningKey)
	equal(t, "ApplicationKey", k256.ApplicationKey, k128.ApplicationKey)
	if len(k256.EncryptionKey) != key256Size || len(k256.DecryptionKey) != key256Size {
		t.Fatalf("keys of %d and %d bytes", len(k256.EncryptionKey), len(k256.DecryptionKey))
	}
	long := append(session, "ghijklmnopqrstuv"...)
	equal(t, "EncryptionKey from a long key, AES-128",
		DeriveKeys(dialect311, long, hash, CipherAES128CCM).EncryptionKey, k128.EncryptionKey)
	full := DeriveKeys(dialect311, long, hash, CipherAES256CCM)
	equal(t, "SigningKey from a long key", full.SigningKey, k128.SigningKey)
	equal(t, "EncryptionKey from a long key, AES-256", full.EncryptionKey,
		purpose{encryption311, string(hash)}.derive(long, key256Size))
	if bytes.Equal(full.EncryptionKey, k256.EncryptionKey) {
		t.Error("the rest of a long session key is left out")
	}
}

// TestPreauthHashPublished is the first and the last step of the chain in the
// article that blogHash is from: NEGOTIATE request and last SESSION_SETUP
// request of the first channel.
func TestPreauthHashPublished(t *testing.T) {
	first := PreauthHash([64]byte{}, unhex(t, `
		FE534D4240000100000000000000800000000000000000000100000000000000FFFE000000000000
		00000000000000000000000000000000000000000000000024000500000000003F000000ECD86F32
		6276024F9F7752B89BB33F3A70000000020000000202100200030203110300000100260000000000
		010020000100FA49E6578F1F3A9F4CD3E9CC14A67AA884B3D05844E0E5A118225C15887F32FF0000
		0200060000000000020002000100`))
	equal(t, "after NEGOTIATE", first[:], unhex(t, `
		DD94EFC5321BB618A2E208BA8920D2F422992526947A409B5037DE1E0FE8C7362B8C47122594CDE0
		CE26AA9DFC8BCDBDE0621957672623351A7540F1E54A0426`))
	last := PreauthHash([64]byte(unhex(t, `
		2729E3440DFDDD839E37193F6E8F20C20CEFB3469E453A70CD980EEC06B8835740A7376008563336
		4C8989895ECE81BF102DEEB14D4B7D48AFA76901A7A38387`)), unhex(t, `
		FE534D4240000100000000000100800000000000000000000300000000000000FFFE000000000000
		1900000000100000000000000000000000000000000000001900000101000000000000005800CF01
		0000000000000000A18201CB308201C7A0030A0101A28201AA048201A64E544C4D53535000030000
		001800180090000000EE00EE00A80000000C000C00580000001A001A0064000000120012007E0000
		001000100096010000158288E2060380250000000FECAC77A5F385A8BF9C38C706EEEDDCD3530055
		005400330031003100610064006D0069006E006900730074007200610074006F0072004400520049
		0056004500520033003100310000000000000000000000000000000000000000000000000063078E
		B639FE03E20A231C3AE3BF23080101000000000000A1A1F5ADCBAED001BC4AD05F223CC90F000000
		0002000C0053005500540033003100310001000C0053005500540033003100310004000C00530055
		00540033003100310003000C0053005500540033003100310007000800A1A1F5ADCBAED001060004
		00020000000800300030000000000000000000000000300000B61FEFCAA857EA57BF1EDCEBF8974B
		8E0EBA5A6DFD9D07A31D11B548F8C9D0CC0A00100000000000000000000000000000000000090016
		0063006900660073002F005300550054003300310031000000000000000000000000003B9BDFF38F
		5EE8F9663F11A0F4C03A78A31204100100000063775A9A5FD97F0600000000`))
	equal(t, "after SESSION_SETUP", last[:], unhex(t, blogHash))
}

func equal(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s = %x, want %x", what, got, want)
	}
}

func TestDeriveKeysBelow30(t *testing.T) {
	k := DeriveKeys(0x0210, []byte("0123456789abcdefXYZ"), nil, 0)
	equal(t, "SigningKey", k.SigningKey, []byte("0123456789abcdef"))
	equal(t, "ApplicationKey", k.ApplicationKey, []byte("0123456789abcdef"))
	if k.EncryptionKey != nil || k.DecryptionKey != nil {
		t.Error("2.1 got encryption keys")
	}
	k = DeriveKeys(0x0210, []byte("short"), nil, 0)
	equal(t, "padded SigningKey", k.SigningKey, append([]byte("short"), make([]byte, 11)...))
}

func TestKeysPrintNothing(t *testing.T) {
	k := DeriveKeys(0x0210, []byte("0123456789abcdef"), nil, 0)
	js, err := json.Marshal(map[string]any{"k": k, "p": &k})
	if err != nil {
		t.Fatal(err)
	}
	signer, err := NewSigner(SigningAESCMAC, k.SigningKey)
	if err != nil {
		t.Fatal(err)
	}
	out := string(js)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		out += fmt.Sprintf(verb, k) + fmt.Sprintf(verb, &k) + fmt.Sprintf(verb, signer)
	}
	for _, leak := range []string{"0123", "30313233", "48 49 50", "0x30"} {
		if strings.Contains(out, leak) {
			t.Errorf("found %q in %s", leak, out)
		}
	}
}
