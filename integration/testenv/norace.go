//go:build !race

package testenv

// raceEnabled: the tests run without the race detector, and so does the binary.
const raceEnabled = false
