package smbclient

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"smbfs/smbclient/auth"
	"smbfs/smbclient/wire"
)

// Config says where to connect and on what terms.
type Config struct {
	Address     string // host:port to dial
	Server      string // name in \\Server\Share and in the service's principal name; empty: the host of Address
	Credentials auth.Credentials

	// MinDialect and MaxDialect bound what is offered. Zero: 2.1 and 3.1.1.
	MinDialect, MaxDialect wire.Dialect

	Sign bool // every message is signed, both ways, or the connection fails
	Seal bool // every message is encrypted, both ways, or the connection fails

	// MaxRead and MaxWrite bound what one READ or WRITE carries, in bytes. Zero: what the server offers.
	MaxRead, MaxWrite int

	// ClientGUID names the client. Zero: random. A connection that takes the place of one that was lost needs the same: without it the
	// server gives none of its durable opens back.
	ClientGUID wire.GUID

	// PreviousSession is the session that the new one takes the place of: the server ends it, if it is still there (MS-SMB2 3.3.5.5.3).
	PreviousSession uint64

	// Dial opens the transport. Nil: a net.Dialer; the connection has keep-alive and no delay.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// RequestTimeout is how long a request may wait for its first response, an interim one included, on a connection that is
	// silent, or on which the server has answered what was sent later and is not still sending. Then the connection is torn
	// down. Zero: 30 s.
	RequestTimeout time.Duration

	// EchoInterval is how long the connection may be silent before an ECHO is sent. Zero: 10 s.
	EchoInterval time.Duration

	Logger *slog.Logger // nil: nothing is logged
}

// Defaults of Config.
const (
	DefaultRequestTimeout = 30 * time.Second
	DefaultEchoInterval   = 10 * time.Second
)

// Connection is one transport connection to a server (MS-SMB2 3.2.1.2). The package's doc says which goroutines it has.
type Connection struct {
	cfg     Config
	log     *slog.Logger
	socket  *socket
	reader  *bufio.Reader // receive loop only
	credit  *creditPool
	traffic traffic
	writer  chan struct{} // the write mutex: holds one token while somebody writes
	maxList int           // MaxListEntries, less in tests

	maxListBytes int // MaxListBytes, less in tests
	leases       leaseTable

	// Set by the negotiation, constant once Connect has returned.
	negotiated negotiated
	maxMessage atomic.Int64 // bytes the server may send in one message

	mu       sync.Mutex
	nextID   uint64                // guarded by mu
	pending  map[uint64]*request   // guarded by mu: sent or about to be, and not ended
	sessions map[uint64]*Session   // guarded by mu
	filling  *request              // guarded by mu: whose sink the receive loop writes to
	lastID   uint64                // guarded by mu: the highest message id that was answered
	answers  uint64                // guarded by mu: final responses, and the first interim ones
	progress progress              // guarded by mu
	cancels  []*request            // guarded by mu: abandoned requests whose CANCEL is to be sent
	err      error                 // guarded by mu: why the connection ended
	oplocks  map[wire.FileID]*Open // guarded by mu: opens that hold an oplock
	onBreak  func(BreakEvent)      // guarded by mu

	echoSession *Session // guarded by mu: in whose name an ECHO is sent; nil: none is
	echoing     bool     // guarded by mu: an ECHO is under way

	noDescriptors atomic.Bool // one was signed wrongly: no more are asked for

	breaks     atomic.Int32  // being handled
	cancelWake chan struct{} // capacity 1: cancels is not empty
	events     *queue        // callbacks for the dispatcher
	done       chan struct{} // closed when the connection has ended
	drained    chan struct{} // closed when its requests have ended, too
	wg         sync.WaitGroup
}

// Connect dials, negotiates and authenticates. ctx bounds that only, not the life of the session.
func Connect(ctx context.Context, cfg Config) (*Session, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	conn, err := cfg.Dial(ctx, "tcp", cfg.Address)
	if err != nil {
		return nil, opError("dial", err)
	}
	c := newConnection(cfg, conn)
	s, err := c.establish(ctx)
	if err != nil {
		c.Close()
		return nil, err
	}
	return s, nil
}

func (c *Connection) establish(ctx context.Context) (*Session, error) {
	if err := c.negotiate(ctx); err != nil {
		return nil, opError("negotiate", err)
	}
	s, err := c.setupSession(ctx)
	if err != nil {
		return nil, opError("session setup", err)
	}
	return s, nil
}

// complete fills in what was left zero.
func (cfg *Config) complete() error {
	if cfg.MinDialect == 0 {
		cfg.MinDialect = wire.Dialect210
	}
	if cfg.MaxDialect == 0 {
		cfg.MaxDialect = wire.Dialect311
	}
	if len(cfg.dialects()) == 0 {
		return opError("connect", ErrDialect)
	}
	if cfg.Server == "" {
		cfg.Server = cfg.Address
		if host, _, err := net.SplitHostPort(cfg.Address); err == nil {
			cfg.Server = host
		}
	}
	if cfg.ClientGUID == (wire.GUID{}) {
		if _, err := rand.Read(cfg.ClientGUID[:]); err != nil {
			return opError("connect", err)
		}
	}
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{}).DialContext // keep-alive and no delay are its defaults
	}
	if cfg.RequestTimeout <= 0 {
		cfg.RequestTimeout = DefaultRequestTimeout
	}
	if cfg.EchoInterval <= 0 {
		cfg.EchoInterval = DefaultEchoInterval
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

// newConnection starts the goroutines of a connection that has negotiated nothing yet.
func newConnection(cfg Config, conn net.Conn) *Connection {
	c := &Connection{
		cfg:          cfg,
		log:          cfg.Logger,
		socket:       &socket{conn: conn},
		credit:       newCreditPool(),
		writer:       make(chan struct{}, 1),
		maxList:      MaxListEntries,
		maxListBytes: MaxListBytes,
		pending:      make(map[uint64]*request),
		sessions:     make(map[uint64]*Session),
		oplocks:      make(map[wire.FileID]*Open),
		cancelWake:   make(chan struct{}, 1),
		events:       newQueue(),
		done:         make(chan struct{}),
		drained:      make(chan struct{}),
	}
	c.socket.wantedBack = c.wantedBack
	c.socket.lastRead.Store(time.Now().UnixNano())
	c.maxMessage.Store(maxUnnegotiated)
	c.reader = bufio.NewReaderSize(c.socket, readerSize)
	c.wg.Go(c.receiveLoop)
	c.wg.Go(c.timerLoop)
	c.wg.Go(c.cancelLoop)
	c.wg.Go(func() { c.events.run(c.drained) })
	return c
}

// fail is the one teardown: the first call decides why the connection ended, and ends every request with that.
func (c *Connection) fail(cause error) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err = &ConnectionError{Cause: cause}
	err := c.err
	var ended []*request
	for id, r := range c.pending {
		// The receive loop may be writing to this one's memory: it ends it on its own way out.
		if r != c.filling {
			ended = append(ended, r)
			delete(c.pending, id)
		}
	}
	close(c.done)
	c.mu.Unlock()

	_ = c.socket.conn.Close()
	c.credit.close(err)
	for _, r := range ended {
		c.end(r, response{}, err)
	}
	close(c.drained)
	if errors.Is(cause, errClosedByUs) {
		c.log.Debug("connection closed")
	} else {
		c.log.Debug("connection lost", "server", c.cfg.Server, "error", cause)
	}
}

// spawn starts a goroutine that Close waits for. It reports false, and starts none, if the connection has ended.
func (c *Connection) spawn(f func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return false
	}
	c.wg.Go(f) // the receive loop still runs, so this cannot race with the end of Close
	return true
}

// end gives a request its result. The caller has removed it from pending, so that it happens once.
func (c *Connection) end(r *request, resp response, err error) {
	c.mu.Lock()
	r.ended = true
	r.begun()
	r.response, r.err = resp, err
	orphaned := r.abandoned && r.orphan != nil && err == nil && resp.status == wire.StatusSuccess
	if orphaned && c.err == nil {
		c.wg.Go(func() { r.orphan(r) })
	}
	done := r.done
	c.mu.Unlock()
	if done != nil {
		close(done)
	}
	if r.finished != nil {
		r.finished(r)
	}
}

// Close ends the connection and waits for its goroutines. It must not be called from a callback of the connection, which it would
// wait for.
func (c *Connection) Close() {
	c.fail(errClosedByUs)
	c.wg.Wait()
}

// Done is closed when the connection has ended.
func (c *Connection) Done() <-chan struct{} { return c.done }

// Err returns why the connection ended, nil while it lives. The error matches net.ErrClosed.
func (c *Connection) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// LastReceived is when something of the server came last.
func (c *Connection) LastReceived() time.Time { return c.socket.lastReadTime() }

// opError wraps err with the operation that failed.
func opError(op string, err error) error { return &OpError{Op: op, Err: err} }

// OpError is a failure of an operation that is not the server's answer.
type OpError struct {
	Op  string
	Err error
}

func (e *OpError) Error() string { return e.Op + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *OpError) Unwrap() error { return e.Err }
