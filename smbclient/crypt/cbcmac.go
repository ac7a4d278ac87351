package crypt

import "crypto/cipher"

const blockSize = 16

// scratchSize is how much one call of CryptBlocks gets: large enough that the
// call costs nothing, small enough that its unused output stays in the cache.
const scratchSize = 4096

// cbcMAC is the CBC-MAC that CMAC and CCM are built on. The ciphertext of CBC
// mode goes to a scratch buffer and only its last block is kept: one call for
// 256 blocks is much faster than a call of Block.Encrypt for each.
type cbcMAC struct {
	mode    cbcMode
	last    [blockSize]byte // MAC over the whole blocks given so far
	part    [blockSize]byte // bytes of a block not yet whole
	partLen int
	scratch [scratchSize]byte
}

// cbcMode is what crypto/cipher.NewCBCEncrypter returns for AES.
type cbcMode interface {
	cipher.BlockMode
	SetIV([]byte)
}

func newCBCMAC(b cipher.Block) *cbcMAC {
	m := &cbcMAC{}
	m.mode = cipher.NewCBCEncrypter(b, m.last[:]).(cbcMode)
	return m
}

func (m *cbcMAC) reset() {
	m.last = [blockSize]byte{}
	m.partLen = 0
	m.mode.SetIV(m.last[:])
}

// blocks takes whole blocks.
func (m *cbcMAC) blocks(p []byte) {
	for len(p) > 0 {
		n := min(len(p), scratchSize)
		m.mode.CryptBlocks(m.scratch[:n], p[:n])
		copy(m.last[:], m.scratch[n-blockSize:n])
		p = p[n:]
	}
}

// write takes any number of bytes. It leaves between 1 and 16 of them in part
// once there was any, since CMAC treats the last block apart.
func (m *cbcMAC) write(p []byte) {
	if m.partLen > 0 {
		n := copy(m.part[m.partLen:], p)
		m.partLen += n
		p = p[n:]
		if len(p) == 0 {
			return
		}
		m.blocks(m.part[:])
		m.partLen = 0
	}
	if len(p) == 0 {
		return
	}
	whole := (len(p) - 1) / blockSize * blockSize
	m.blocks(p[:whole])
	m.partLen = copy(m.part[:], p[whole:])
}

// pad fills the block under way with zeros and takes it.
func (m *cbcMAC) pad() {
	if m.partLen == 0 {
		return
	}
	clear(m.part[m.partLen:])
	m.blocks(m.part[:])
	m.partLen = 0
}
