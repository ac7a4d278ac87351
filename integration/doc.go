// Package integration holds the tests that run the real smbfs binary on real
// mounts against a real Samba server. It exports nothing; nobody imports it.
//
// testenv builds the surroundings, bench measures. Each test can be run alone
// with `go test -run`; those that change the server's configuration have a
// server of their own, the rest share one and keep to a folder of their own.
//
// Two build tags hold what takes longer: soak (make soak) and guest (make
// test-guest), which runs virtual machines with other kernels, by package guest.
package integration
