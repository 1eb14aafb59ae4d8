// Package registry keeps the configuration objects: zones, how they are fetched
// and handed out, peers, TSIG keys, ACLs and the API's tokens. It validates them,
// keeps what holds between them (a zone's peers exist, a name belongs to one
// zone) and stores them durably.
//
// Every method may be called from any goroutine. Reads are served from memory
// and never wait for the disk; writes are atomic transactions that are on disk
// before Update returns. Values handed out are copies that the caller may keep.
package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
	"weak"

	"go.uber.org/zap"
)

// Options is what Open needs to know.
type Options struct {
	Dir           string           // folder of the stored copies; made with 0700 if it is missing
	Log           *zap.Logger      // nil keeps quiet
	ForbidPrivate bool             // refuse loopback and private peer addresses
	Now           func() time.Time // nil means time.Now
	Recent        int              // changes kept for followers; 0 means 4096
	LockTimeout   time.Duration    // how long to wait for another daemon to let go; 0 means 1 s
}

const (
	defaultRecent      = 4096
	defaultLockTimeout = time.Second
)

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Recent <= 0 {
		o.Recent = defaultRecent
	}
	if o.LockTimeout <= 0 {
		o.LockTimeout = defaultLockTimeout
	}
	return o
}

// Registry is the set of configuration objects.
type Registry struct {
	options Options
	backend Backend

	queueMu sync.Mutex // guards queue
	queue   []*request // transactions that wait for the next commit

	commitMu sync.Mutex // held by the one who commits; guards backend and closed
	closed   bool

	mu    sync.RWMutex // guards the fields below; never held over I/O
	state *state
	feed  feed

	namesMu sync.Mutex // guards names
	names   weak.Pointer[nameList]
}

// Open loads the objects stored in options.Dir, or begins with none if there
// is no stored copy at all. It fails when another process holds the folder,
// when a newer secondaryd wrote the files, and when no copy is whole.
func Open(options Options) (*Registry, error) {
	options = options.withDefaults()
	if err := privateDir(options.Dir, options.Log); err != nil {
		return nil, err
	}
	backend, err := openTwin(options)
	if err != nil {
		return nil, err
	}
	registry, err := load(backend, options)
	if err != nil {
		return nil, errors.Join(err, backend.Close())
	}
	return registry, nil
}

// Octets returns how large the stored configuration in dir is, which says about
// how much there is to load; 0 if there is none.
func Octets(dir string) int64 {
	info, err := os.Stat(filepath.Join(dir, mainName))
	if err != nil {
		return 0
	}
	return info.Size()
}

// load reads everything a backend holds into memory.
func load(backend Backend, options Options) (*Registry, error) {
	d := newDecoding()
	revision, err := backend.Load(d.take)
	objects, decodeErr := d.finish()
	if err := errors.Join(err, decodeErr); err != nil {
		return nil, fmt.Errorf("load configuration from %s: %w", options.Dir, err)
	}
	state := newState()
	for _, o := range objects {
		state.put(o)
	}
	state.revision = revision
	return &Registry{
		options: options, backend: backend, state: state,
		feed: newFeed(revision, options.Recent),
	}, nil
}

// Close waits for a running commit and lets go of the files. Later writes and
// all followers get ErrClosed; reads go on working.
func (r *Registry) Close() error {
	r.commitMu.Lock()
	defer r.commitMu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	r.mu.Lock()
	r.feed.close()
	r.mu.Unlock()
	return r.backend.Close()
}

// Degraded says what is wrong with the stored copies; nil means that all of
// them are whole and up to date.
func (r *Registry) Degraded() error {
	r.commitMu.Lock()
	defer r.commitMu.Unlock()
	if d, ok := r.backend.(interface{ Degraded() error }); ok {
		return d.Degraded()
	}
	return nil
}

// Release gives back the memory that the stored copies take while they are
// neither read nor written.
func (r *Registry) Release() error {
	r.commitMu.Lock()
	defer r.commitMu.Unlock()
	if b, ok := r.backend.(interface{ Release() error }); ok && !r.closed {
		return b.Release()
	}
	return nil
}

// privateDir makes dir, or takes away the rights that others have on it. Rights
// that can't be tightened are warned of and never a reason not to start.
func privateDir(dir string, log *zap.Logger) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("configuration folder: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("configuration folder: %w", err)
	}
	if info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	if err := os.Chmod(dir, 0o700); err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Warn("configuration folder is open to others", zap.String("path", dir), zap.Error(err))
	}
	return nil
}
