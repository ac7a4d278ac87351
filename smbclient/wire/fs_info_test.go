package wire

import "testing"

var fsInfoSamples = []sample{
	part(&FileFsSizeInformation{1 << 40, 1 << 39, 8, 512}, 0),
	part(&FileFsFullSizeInformation{1 << 40, 1 << 39, 1 << 38, 8, 512}, 0),
	part(&FileFsAttributeInformation{Attributes: FsCasePreservedNames | FsSupportsHardLinks, MaximumComponentNameLength: 255, FileSystemName: "NTFS"}, 0),
	part(&FileFsVolumeInformation{VolumeCreationTime: 1, VolumeSerialNumber: 2, SupportsObjects: true, VolumeLabel: "share"}, 0),
	part(&FileFsSectorSizeInformation{1, 2, 3, 4, 5, 6, 7}, 0),
}

func TestFsInfoGolden(t *testing.T) {
	for file, want := range map[string]codec{
		"query_info_response_fs_size": &FileFsSizeInformation{264212084, 82839108, 2, 512},
		"query_info_response_fs_volume": &FileFsVolumeInformation{
			VolumeCreationTime: 0x01DD7A989809CA4E, VolumeSerialNumber: 0xAA2D3C3D, VolumeLabel: "share",
		},
	} {
		var resp QueryInfoResponse
		if err := resp.Decode(golden(t, file)[HeaderSize:]); err != nil {
			t.Fatal(err)
		}
		checkGolden(t, resp.Output, want, nil)
	}
}

func FuzzFileFsSizeInformation(f *testing.F) { fuzz[FileFsSizeInformation](f) }

func FuzzFileFsFullSizeInformation(f *testing.F) { fuzz[FileFsFullSizeInformation](f) }

func FuzzFileFsAttributeInformation(f *testing.F) { fuzz[FileFsAttributeInformation](f) }

func FuzzFileFsVolumeInformation(f *testing.F) { fuzz[FileFsVolumeInformation](f) }

func FuzzFileFsSectorSizeInformation(f *testing.F) { fuzz[FileFsSectorSizeInformation](f) }
