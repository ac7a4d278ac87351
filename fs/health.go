package fs

import "smbfs/notify/replay"

// HelperStatus says how the replay helper does.
func (f *FileSystem) HelperStatus() replay.Status { return f.helper.Status() }
