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
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"weak"

	"go.uber.org/zap"

	"secondaryd/zonestore/seal"
)

// Options is what Open needs to know.
type Options struct {
	Dir           string           // folder of the stored copies; made with 0700 if it is missing
	Log           *zap.Logger      // nil keeps quiet
	ForbidPrivate bool             // refuse loopback and private peer addresses
	Now           func() time.Time // nil means time.Now
	Recent        int              // changes kept for followers; 0 means 4096
	LockTimeout   time.Duration    // how long to wait for another daemon to let go; 0 means 1 s

	// Key is the file of the key that secrets are encrypted with; empty means
	// secrets.key in Dir. It is made if there are no secrets yet.
	Key string
	// AuditFiles is how many files of the audit log are kept besides the one that
	// is written; 0 keeps all.
	AuditFiles int

	sync       func(*os.File) error // of the audit log; nil means the file's
	auditLeast int64                // size up to which its files grow at least; 0 means 64 MiB
}

const (
	keyName            = "secrets.key"
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
	if o.Key == "" {
		o.Key = filepath.Join(o.Dir, keyName)
	}
	if o.LockTimeout <= 0 {
		o.LockTimeout = defaultLockTimeout
	}
	return o
}

// Registry is the set of configuration objects.
type Registry struct {
	options Options
	codec   codec
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
// when a newer secondaryd wrote the files, when no copy is whole, and with
// ErrNoKey when secrets are stored and the key to them is not there.
func Open(options Options) (*Registry, error) {
	stored, err := Find(options)
	if err != nil {
		return nil, err
	}
	return stored.Load()
}

// Stored is a configuration that Find has found, with its folder locked. Load must
// follow.
type Stored struct {
	options Options
	backend *twin
	codec   codec
}

// Find is the first half of Open: it locks the folder and sees to it that what is
// stored there is whole and of a format that this release knows. It does not decrypt:
// whether the key fits, Load will tell.
func Find(options Options) (*Stored, error) {
	options = options.withDefaults()
	if err := privateDir(options.Dir, options.Log); err != nil {
		return nil, err
	}
	backend, err := openTwin(options)
	if err != nil {
		return nil, err
	}
	key, err := seal.Load(options.Key, options.Log)
	if err != nil && !errors.Is(err, seal.ErrNoKey) && !errors.Is(err, seal.ErrDamagedFile) {
		return nil, errors.Join(fmt.Errorf("key of the secrets: %w", err), backend.Close())
	}
	return &Stored{options, backend, codec{key, err}}, nil
}

// Load is the second half of Open: it decodes the objects with the key of their secrets.
// Where there is none, and nothing that needs one, it makes it. If it fails, it lets go of
// the files.
func (s *Stored) Load() (_ *Registry, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, s.backend.Close())
		}
	}()
	backend, options := s.backend, s.options
	registry, err := load(backend, options, s.codec)
	if errors.Is(err, ErrNoKey) {
		return nil, fmt.Errorf("%w: put a backup of the key file in its place (%s, setting secrets_key)%s", err, options.Key, leftBehind(options))
	}
	if err != nil {
		return nil, err
	}
	if registry.codec.key == nil {
		if registry.codec.key, err = seal.Create(options.Key); err != nil {
			return nil, err
		}
		options.Log.Info("made the key that secrets are encrypted with: back it up, apart from the configuration",
			zap.String("path", options.Key), zap.String("copy", seal.CopyPath(options.Key)))
	}
	if backend.old {
		if err := backend.seal(registry.state.revision, registry.entries()); err != nil {
			return nil, err
		}
	}
	return registry, nil
}

// leftBehind tells of a key in the folder that is not looked at.
func leftBehind(options Options) string {
	if path := filepath.Join(options.Dir, keyName); path != options.Key && exists(path) {
		return fmt.Sprintf("; a file %s lies there, which may be it", path)
	}
	return ""
}

// entries yields all objects as they are stored, each kind in order.
func (r *Registry) entries() iter.Seq[Entry] {
	keys := slices.Collect(maps.Keys(r.state.objects))
	for id := range r.state.zones {
		keys = append(keys, key{KindZone, id})
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), strings.Compare(a.id, b.id))
	})
	return func(yield func(Entry) bool) {
		for _, k := range keys {
			if !yield(Entry{k.kind, k.id, r.codec.encode(r.state.get(k))}) {
				return
			}
		}
	}
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
func load(backend Backend, options Options, c codec) (*Registry, error) {
	d := newDecoding(c)
	revision, err := backend.Load(d.take)
	objects, decodeErr := d.finish()
	if err := errors.Join(err, decodeErr); err != nil {
		return nil, fmt.Errorf("load configuration from %s: %w", options.Dir, err)
	}
	state := newState(len(objects))
	for _, o := range objects {
		state.put(o)
	}
	state.revision = revision
	return &Registry{
		options: options, codec: c, backend: backend, state: state,
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
// them are whole and up to date. It does not wait for the disk.
func (r *Registry) Degraded() error {
	if d, ok := r.backend.(interface{ Degraded() error }); ok {
		return d.Degraded()
	}
	return nil
}

// Mend looks whether the stored copies are there, and makes one anew that is lost.
// That costs as much as the configuration is large, and next to nothing while there
// is nothing to mend.
func (r *Registry) Mend() {
	r.commitMu.Lock()
	defer r.commitMu.Unlock()
	if b, ok := r.backend.(interface{ Mend() }); ok && !r.closed {
		b.Mend()
	}
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
