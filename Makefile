# make demo and make test are all that a fresh Debian machine with make and git needs: what is missing, scripts/setup installs.

PREFIX   ?= /usr/local
SBINDIR  ?= $(PREFIX)/sbin
MANDIR   ?= $(PREFIX)/share/man
MOUNTDIR ?= /sbin
DESTDIR  ?=
FUZZTIME ?= 1m
SOAKTIME ?= 10m
FAULTS   ?= 100
BENCHFLAGS ?=
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null)

# Debian's go keeps to its own release unless told otherwise; go.mod names the one that is needed.
export GOTOOLCHAIN = auto
export FUZZTIME
# Else each process of a test with the race detector sleeps for a second before it ends.
export GORACE ?= atexit_sleep_ms=10

.PHONY: build install uninstall setup test test-guest check vet demo bench bench-cifs soak chaos fuzz docs clean

build: setup
	go build -trimpath -ldflags '-X main.version=$(VERSION)' -o bin/smbfs ./cmd/smbfs

# No setup and no build here: this runs as root, those need not.
install:
	@test -x bin/smbfs || { echo 'run make build first' >&2; exit 1; }
	install -D -m 755 bin/smbfs '$(DESTDIR)$(SBINDIR)/smbfs'
	install -d '$(DESTDIR)$(MOUNTDIR)'
	ln -sfn '$(SBINDIR)/smbfs' '$(DESTDIR)$(MOUNTDIR)/mount.smbfs'
	ln -sfn '$(SBINDIR)/smbfs' '$(DESTDIR)$(MOUNTDIR)/mount.fuse.smbfs'
	install -D -m 644 docs/smbfs.8 '$(DESTDIR)$(MANDIR)/man8/smbfs.8'
	ln -sfn smbfs.8 '$(DESTDIR)$(MANDIR)/man8/mount.smbfs.8'

uninstall:
	rm -f '$(DESTDIR)$(SBINDIR)/smbfs' '$(DESTDIR)$(MOUNTDIR)/mount.smbfs' '$(DESTDIR)$(MOUNTDIR)/mount.fuse.smbfs' \
		'$(DESTDIR)$(MANDIR)/man8/smbfs.8' '$(DESTDIR)$(MANDIR)/man8/mount.smbfs.8'

setup:
	@./scripts/setup

# -timeout is per package and for a hang: it leaves room for a slow machine.
test: check
	go test -race -shuffle=on -timeout=40m ./...

check: setup
	./scripts/check

vet: check

demo: setup
	@go run ./integration/demo $(DEMOFLAGS)

# Some 35 minutes, on a machine that does nothing else. To see that it works, or for a part: make bench BENCHFLAGS='-trial -only files'
bench: setup
	go run ./integration/bench $(BENCHFLAGS)

# Against the kernel's client, in user-mode Linux, as root: a section of the same file.
bench-cifs: setup
	go run ./integration/bench -cifs $(BENCHFLAGS)

# With kernels of Debian's releases in virtual machines, which take some minutes and are kept in ~/.cache/smbfs: ksmbd as a server, and the events
# suite on the oldest and the newest kernel.
test-guest: setup
	go test -tags guest ./integration -run '^TestGuest' -timeout=60m -v

# Random changes in every mode, against a model made of events alone; a failure prints its seed. Then local programs, clients and the server
# at work on the same files, and a great many directories.
soak: setup
	go test ./integration -run '^TestRandom$$' -timeout=30m -v -soak=$(SOAKTIME)
	go test -tags soak ./integration -run '^TestEcho$$' -timeout=30m -v
	go test -tags soak ./integration -run '^TestScale' -timeout=60m -v

# The server and the way to it are broken under load, so many times; make test does it ten times. The counts are printed.
chaos: setup
	go test ./integration -run '^TestChaos$$' -timeout=60m -v -chaos=$(FAULTS)

fuzz: setup
	./scripts/fuzz

# The manual page and the README's table of options come from the table in cmd/smbfs; a test fails when they are out of date.
docs: setup
	go test ./cmd/smbfs -run TestDocuments -update

clean:
	rm -rf bin dist
