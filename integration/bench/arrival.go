package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"time"
	"unicode/utf16"

	"golang.org/x/sys/unix"
)

// arrivals are the packets that a server on loopback sends, each with the kernel's own time of its arrival: what is in it has reached the
// client's socket then, whoever reads it when. They are looked at afterwards, so that no process runs for them beside what is measured.
type arrivals struct {
	fd       int
	buf, oob []byte
}

// timespecSize is that of struct timespec on 64-bit machines.
const timespecSize = 16

// captured is how much of a packet is kept, in bytes: the first notification of a message is in it.
const captured = 512

// watchArrivals begins to keep what is sent from a port of 127.0.0.1. It needs CAP_NET_RAW.
func watchArrivals(port int) (*arrivals, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err == nil {
		if err = keepFrom(fd, port); err != nil {
			unix.Close(fd)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	return &arrivals{fd: fd, buf: make([]byte, captured), oob: make([]byte, unix.CmsgSpace(timespecSize))}, nil
}

func keepFrom(fd, port int) error {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		return err
	}
	program := []unix.SockFilter{ // bpf(4) of the kernel's networking/filter.rst: IPv4, its protocol TCP, the source port
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 9},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.IPPROTO_TCP, Jf: 4},
		{Code: unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH, K: 0},
		{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_IND, K: 0},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(port), Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: captured},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
	}
	err = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
	}
	if err != nil {
		return err
	}
	protocol := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, unix.ETH_P_IP)) // packet(7): in network byte order
	return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: protocol, Ifindex: lo.Index})
}

func (a *arrivals) close() { unix.Close(a.fd) }

// forget drops what came up to now: only so much is kept for who does not look.
func (a *arrivals) forget() error {
	_, err := a.of("")
	return err
}

// of is when the first packet with a name in it came, of those since the last call, zero if none has it.
func (a *arrivals) of(name string) (at time.Time, err error) {
	var wanted []byte
	for _, u := range utf16.Encode([]rune(name)) {
		wanted = binary.LittleEndian.AppendUint16(wanted, u)
	}
	for {
		n, oobn, _, _, err := unix.Recvmsg(a.fd, a.buf, a.oob, 0)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return at, nil
		case err != nil:
			return at, fmt.Errorf("packet socket: %w", err)
		case at.IsZero() && bytes.Contains(a.buf[:n], wanted):
			if at, err = stamped(a.oob[:oobn]); err != nil {
				return at, err
			}
		}
	}
}

// stamped reads the time that SO_TIMESTAMPNS gives, socket(7).
func stamped(oob []byte) (time.Time, error) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return time.Time{}, err
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_TIMESTAMPNS && len(m.Data) >= timespecSize {
			return time.Unix(int64(binary.NativeEndian.Uint64(m.Data)), int64(binary.NativeEndian.Uint64(m.Data[8:]))), nil
		}
	}
	return time.Time{}, fmt.Errorf("a packet without a time: %d messages", len(messages))
}
