package main

import (
	"fmt"
	"time"

	"smbfs/integration/testenv"
)

// delays are what is added to each round trip.
var delays = []time.Duration{time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond}

// delayed measures small files and trees with a server that is farther away.
func (b *bench) delayed() error {
	near := b.samba
	defer func() { b.samba = near }()
	for _, d := range delays {
		l, err := testenv.StartDelay(near.Addr(), d)
		if err != nil {
			return err
		}
		far := *near
		far.Port = l.Port
		b.samba = &far
		suffix := fmt.Sprintf(", %v away", d)
		err = b.filePhases(suffix, max(12, b.few()/80), onSmbfs("smbfs"), onRclone)
		if err == nil {
			err = b.walkWork(suffix, onSmbfs("smbfs"), onRclone)
		}
		if err == nil {
			err = b.treeWork(suffix, max(12, b.few()/80), onSmbfs("smbfs"), onRclone)
		}
		if err == nil {
			err = b.buildWork(suffix, onSmbfs("smbfs"), onRclone)
		}
		l.Stop()
		if err != nil {
			return err
		}
	}
	return nil
}
