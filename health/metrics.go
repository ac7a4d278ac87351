package health

import (
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sys/unix"
)

// ErrNotLoopback refuses an address that others can reach.
var ErrNotLoopback = errors.New("metrics are served on a loopback address (127.0.0.1:PORT, [::1]:PORT) or unix:/PATH only")

// CheckMetricsAddress takes "host:port" with a loopback address or "localhost", or "unix:/path".
func CheckMetricsAddress(s string) error {
	_, _, err := splitMetricsAddress(s)
	return err
}

func splitMetricsAddress(s string) (network, address string, err error) {
	if path, ok := strings.CutPrefix(s, "unix:"); ok {
		if !filepath.IsAbs(path) {
			return "", "", fmt.Errorf("%q: the path after unix: has to be absolute", s)
		}
		return "unix", filepath.Clean(path), nil
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil || port == "" {
		return "", "", fmt.Errorf("%q is not HOST:PORT or unix:/PATH", s)
	}
	if host == "localhost" { // never a name server's word
		host = "127.0.0.1"
	}
	if a, err := netip.ParseAddr(host); err != nil || !a.IsLoopback() {
		return "", "", fmt.Errorf("%q: %w", s, ErrNotLoopback)
	}
	return "tcp", net.JoinHostPort(host, port), nil
}

// ListenMetrics opens the address. A Unix socket is the owner's alone; one that was left behind is replaced.
func ListenMetrics(s string) (net.Listener, error) {
	network, address, err := splitMetricsAddress(s)
	if err != nil {
		return nil, err
	}
	if network == "tcp" {
		return net.Listen(network, address)
	}
	d, err := openDirectoryOf(address)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	if err := d.clear(filepath.Base(address)); err != nil {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: address})
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(address, 0o600); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// openDirectoryOf opens the directory a socket is to lie in: ours or root's.
func openDirectoryOf(path string) (*directory, error) {
	f, err := openOwned(unix.AT_FDCWD, filepath.Dir(path), os.Geteuid())
	if err != nil {
		return nil, err
	}
	return &directory{f}, nil
}

// Metrics serves Prometheus.
type Metrics struct {
	server *http.Server
	done   chan struct{}
}

// ServeMetrics answers on l, which it takes over, at /metrics.
func ServeMetrics(l net.Listener, status func() Status, r *Recorder, logger *slog.Logger) *Metrics {
	reg := prometheus.NewRegistry()
	reg.MustRegister(&collector{status, r}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	m := &Metrics{
		server: &http.Server{
			Handler: mux, ReadTimeout: 5 * time.Second, WriteTimeout: 20 * time.Second, IdleTimeout: time.Minute,
			MaxHeaderBytes: 16 << 10, ErrorLog: log.New(io.Discard, "", 0),
		},
		done: make(chan struct{}),
	}
	go func() {
		defer close(m.done)
		if err := m.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			logger.Warn("metrics are not served any more", "err", err)
		}
	}()
	return m
}

// Close ends it.
func (m *Metrics) Close() {
	_ = m.server.Close()
	<-m.done
}
