package registry

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"secondaryd/zonestore/auditlog"
	"secondaryd/zonestore/seal"
)

// snapshot copies the files as a crash would leave them, while r is open.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	keys, err := filepath.Glob(filepath.Join(to, "*.key"))
	for _, path := range keys {
		err = errors.Join(err, os.Chmod(path, 0o600)) // CopyFS opens them to all
	}
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// newestLog is the file of the audit log that is written.
func newestLog(t testing.TB, dir string) string {
	t.Helper()
	numbers, err := auditlog.Files(filepath.Join(dir, auditName))
	if err != nil || len(numbers) == 0 {
		t.Fatalf("no audit log: %v", err)
	}
	return auditlog.Path(filepath.Join(dir, auditName), numbers[len(numbers)-1])
}

// bothFiles are the main file and the one of the log that is written.
func bothFiles(t testing.TB, dir string) []string {
	t.Helper()
	return []string{filepath.Join(dir, mainName), newestLog(t, dir)}
}

// testCodec has a key of its own.
func testCodec(t testing.TB) codec {
	t.Helper()
	key, err := seal.Create(filepath.Join(t.TempDir(), "test.key"))
	if err != nil {
		t.Fatal(err)
	}
	return codec{key: key}
}

func TestAcknowledgedSurvivesACrash(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	seed(t, r)
	for i := range 20 {
		update(t, r, func(tx *Tx) error {
			return tx.PutZone(zone(fmt.Sprint("n", i), fmt.Sprintf("n%d.example", i), "p1"))
		})
		if i%3 == 2 {
			update(t, r, func(tx *Tx) error { return tx.DeleteZone(fmt.Sprint("n", i-1)) })
		}
		after := open(t, snapshot(t, dir))
		if diff := cmp.Diff(zonesOf(r), zonesOf(after)); diff != "" {
			t.Fatal(diff)
		}
		if r.Revision() != after.Revision() {
			t.Fatalf("revision %d became %d", r.Revision(), after.Revision())
		}
	}
}

// A crash between the two writes leaves one copy behind the other; so does an old
// one that is put in its place.
func TestNewerCopyWins(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	seed(t, r)
	before := snapshot(t, dir)
	update(t, r, func(tx *Tx) error { return tx.DeleteZone("z1") })
	after := snapshot(t, dir)
	for i, path := range bothFiles(t, before) {
		mixed := snapshot(t, after)
		copyFile(t, path, bothFiles(t, mixed)[i])
		got := open(t, mixed)
		if _, ok := got.Zone("z1"); ok || got.Revision() != 2 || got.Degraded() != nil {
			t.Errorf("%s behind: the deleted zone came back, or one copy is missing: %v", path, got.Degraded())
		}
		// And both say the same again.
		if err := got.Close(); err != nil {
			t.Fatal(err)
		}
		compareCopies(t, mixed)
	}
}

// compareCopies wants the log to tell what the main file holds.
func compareCopies(t testing.TB, dir string) {
	t.Helper()
	main := inspect(filepath.Join(dir, mainName))
	defer main.close()
	made, err := rebuild(filepath.Join(t.TempDir(), "rebuilt"), filepath.Join(dir, auditName), func() error { return nil })
	if err != nil || main.err != nil {
		t.Fatalf("main %v, log %v", main.err, err)
	}
	defer made.file.Close()
	if h, err := made.file.head(); err != nil || h != main.head || made.damage != nil {
		t.Errorf("log tells %+v, %v, %v, main file holds %+v", h, err, made.damage, main.head)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Whatever happens to one file, the daemon goes on from the other and says so.
func TestDamageToOneFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	seed(t, r)
	for i := range 100 {
		update(t, r, func(tx *Tx) error {
			return tx.PutZone(zone(fmt.Sprint("n", i), fmt.Sprintf("n%d.example", i), "p1"))
		})
	}
	want := zonesOf(r)
	damages := map[string]func([]byte) []byte{
		"empty":      func([]byte) []byte { return nil },
		"cut":        func(b []byte) []byte { return b[:len(b)/2] },
		"one page":   func(b []byte) []byte { return b[:4096] },
		"zeroed":     func(b []byte) []byte { return make([]byte, len(b)) },
		"text":       func([]byte) []byte { return []byte("hello") },
		"metas gone": func(b []byte) []byte { clear(b[:8192]); return b },
		"missing":    nil,
	}
	for what, damage := range damages {
		for i, name := range []string{"main file", "log"} {
			t.Run(what+" "+name, func(t *testing.T) {
				t.Parallel()
				broken := snapshot(t, dir)
				spoil(t, bothFiles(t, broken)[i], damage)
				core, logs := observer.New(zap.WarnLevel)
				got := openWith(t, Options{Dir: broken, Log: zap.New(core)})
				if diff := cmp.Diff(want, zonesOf(got)); diff != "" {
					t.Error(diff)
				}
				if logs.Len() != 1 {
					t.Errorf("want one line of what happened: %v", logs.All())
				}
				compareCopies(t, snapshot(t, broken))
				update(t, got, func(tx *Tx) error { return tx.DeleteZone("z1") })
				if err := got.Degraded(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func spoil(t *testing.T, path string, damage func([]byte) []byte) {
	t.Helper()
	if damage == nil {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		return
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, damage(data), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A flipped octet anywhere in one file changes nothing in what is served.
func TestFlippedOctets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	seed(t, r)
	for i := range 60 {
		update(t, r, func(tx *Tx) error {
			return tx.PutZone(zone(fmt.Sprint("n", i), fmt.Sprintf("n%d.example", i), "p1"))
		})
	}
	want := zonesOf(r)
	whole, err := os.ReadFile(filepath.Join(dir, mainName))
	if err != nil {
		t.Fatal(err)
	}
	broken := snapshot(t, dir)
	path := filepath.Join(broken, mainName)
	for at := 0; at < len(whole); at += 613 {
		data := append([]byte(nil), whole...)
		data[at] ^= 0xA5
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c := inspect(path)
		if !c.whole() {
			continue // found out; the other copy is taken
		}
		if c.head.revision == r.Revision() {
			got, err := load(c.file, Options{}.withDefaults(), r.codec)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, zonesOf(got)); diff != "" {
				t.Fatalf("octet %d: %s", at, diff)
			}
		}
		c.close()
	}
}

func TestNoWholeCopyIsNoStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	seed(t, open(t, dir))
	broken := snapshot(t, dir)
	spoil(t, filepath.Join(broken, mainName), func(b []byte) []byte { return b[:3*4096] })
	spoil(t, newestLog(t, broken), func(b []byte) []byte { return b[:60] })
	_, err := Open(Options{Dir: broken})
	if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), newestLog(t, broken)) {
		t.Error(err)
	}
	if err := os.Remove(filepath.Join(broken, mainName)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Dir: broken}); err == nil {
		t.Error("started from nothing while a damaged log lies there")
	}
}

func TestDamagedObjectIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	seed(t, r)
	broken := snapshot(t, dir)
	file, err := openBolt(filepath.Join(broken, mainName))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	k := key1()
	value := testCodec(t).encode(&k)
	value[20] ^= 1
	if err := file.Commit(t.Context(), batchOf(2, Entry{KindTSIG, "k1", value})); err != nil {
		t.Fatal(err)
	}
	_, err = file.load(func(Entry) error { return nil })
	if damage, ok := errors.AsType[*DamageError](err); !ok || damage.Kind != KindTSIG || damage.ID != "k1" || damage.Path != file.path {
		t.Errorf("%v", err)
	}
}

// batchOf is a batch of one transaction.
func batchOf(revision uint64, entries ...Entry) Batch {
	t := Transaction{Revision: revision}
	for _, e := range entries {
		t.Changes = append(t.Changes, Replacement{Entry: e})
	}
	return Batch{Transactions: []Transaction{t}}
}

func TestNewerFormatIsNotTouched(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	seed(t, open(t, dir))
	for what, change := range map[string]func(dir string) error{
		"an object of the main file": func(dir string) error {
			file, err := openBolt(filepath.Join(dir, mainName))
			if err != nil {
				return err
			}
			value := frame(valueSealed+1, key{KindPeer, "p2"}, 2, []byte("{}"))
			return errors.Join(file.Commit(t.Context(), batchOf(9, Entry{KindPeer, "p2", value})), file.Close())
		},
		"the main file": func(dir string) error {
			file, err := openBolt(filepath.Join(dir, mainName))
			if err != nil {
				return err
			}
			return errors.Join(file.db.Update(func(tx *bbolt.Tx) error {
				return tx.Bucket(metaBucket).Put(headKey, head{version: headVersion + 1}.encode())
			}), file.Close())
		},
		"the log": func(dir string) error {
			b := []byte("SDAUDT\x00\x02\x00\x00\x00\x00\x00\x00\x00\x01")
			return os.WriteFile(newestLog(t, dir), binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli)), 0o600)
		},
	} {
		newer := snapshot(t, dir)
		if err := change(newer); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(Options{Dir: newer}); !errors.Is(err, ErrNewer) {
			t.Errorf("%s is newer: %v", what, err)
		}
	}
}

func TestGuardsHold(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	seed(t, open(t, dir))
	file, err := openBolt(filepath.Join(snapshot(t, dir), mainName))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, g := range []Guard{{KindZone, "z1", 2}, {KindZone, "z1", 0}, {KindZone, "z9", 1}} {
		batch := batchOf(2, Entry{Kind: KindZone, ID: "z1"})
		batch.Guards = []Guard{g}
		if err := file.Commit(t.Context(), batch); !errors.Is(err, ErrConflict) {
			t.Errorf("%+v: %v", g, err)
		}
	}
	batch := batchOf(2)
	batch.Guards = []Guard{{KindZone, "z1", 1}, {KindZone, "z9", 0}}
	if err := file.Commit(t.Context(), batch); err != nil {
		t.Error(err)
	}
}

// scripted is a backend in memory that can be made to fail or to wait.
type scripted struct {
	mu      sync.Mutex
	err     error
	gate    chan struct{} // when set, a commit waits for it
	entered chan struct{}
	commits int
	largest int // octets of the objects of a commit
}

func (*scripted) Load(func(Entry) error) (uint64, error) { return 0, nil }
func (*scripted) Close() error                           { return nil }

func (s *scripted) Commit(_ context.Context, b Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commits++
	octets := 0
	for _, t := range b.Transactions {
		for _, c := range t.Changes {
			octets += len(c.Value)
		}
	}
	s.largest = max(s.largest, octets)
	if s.gate != nil {
		s.entered <- struct{}{}
		<-s.gate
	}
	return s.err
}

func TestFailedCommitChangesNothing(t *testing.T) {
	t.Parallel()
	backend := &scripted{err: errors.New("no space left on device")}
	r, err := load(backend, Options{}.withDefaults(), testCodec(t))
	if err != nil {
		t.Fatal(err)
	}
	put := func(tx *Tx) error { return tx.PutPeer(peer("p1")) }
	if err := r.Update(t.Context(), put); !errors.Is(err, ErrStore) || !errors.Is(err, backend.err) {
		t.Error(err)
	}
	if _, ok := r.Peer("p1"); ok || r.Revision() != 0 || len(r.feed.changes) != 0 {
		t.Error("something changed in memory")
	}
	backend.err = nil
	update(t, r, put)
}

func TestWaitingTransactionsShareACommit(t *testing.T) {
	t.Parallel()
	backend := &scripted{gate: make(chan struct{}), entered: make(chan struct{}, 8)}
	r, err := load(backend, Options{}.withDefaults(), testCodec(t))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	put := func(i int) {
		wg.Go(func() {
			if err := r.Update(t.Context(), func(tx *Tx) error { return tx.PutPeer(peer(fmt.Sprint("p", i))) }); err != nil {
				t.Error(err)
			}
		})
	}
	put(0)
	<-backend.entered
	for i := range 9 {
		put(i + 1)
	}
	for queued := 0; queued < 9; time.Sleep(time.Millisecond) {
		r.queueMu.Lock()
		queued = len(r.queue)
		r.queueMu.Unlock()
	}
	close(backend.gate)
	wg.Wait()
	if backend.commits != 2 || r.Revision() != 10 {
		t.Errorf("%d commits for %d transactions", backend.commits, r.Revision())
	}
}

// Transactions that are given together share commits, in their order, up to what a
// commit takes; each fails by itself.
func TestUpdateEach(t *testing.T) {
	t.Parallel()
	backend := &scripted{}
	r, err := load(backend, Options{}.withDefaults(), testCodec(t))
	if err != nil {
		t.Fatal(err)
	}
	update(t, r, func(tx *Tx) error { return tx.PutPeer(peer("p1")) })
	const transactions = maxCommit/maxOperations + 2
	failed := errors.New("no")
	var order []int
	var fns []func(*Tx) error
	for i := range transactions {
		fns = append(fns, func(tx *Tx) error {
			order = append(order, i)
			for j := range maxOperations {
				id := fmt.Sprintf("z%d-%d", i, j)
				if err := tx.PutZone(zone(id, id, "p1")); err != nil {
					return err
				}
			}
			if i == 3 {
				return failed
			}
			return nil
		})
	}
	backend.commits = 0
	for i, err := range r.UpdateEach(t.Context(), fns...) {
		if (i == 3) != errors.Is(err, failed) || i != 3 && err != nil {
			t.Errorf("transaction %d: %v", i, err)
		}
	}
	if !slices.IsSorted(order) || len(order) != transactions || backend.commits != 2 {
		t.Errorf("in the order %v, %d commits", order, backend.commits)
	}
	if got := len(zonesOf(r)); got != (transactions-1)*maxOperations {
		t.Errorf("%d zones", got)
	}
	backend.err = errors.New("no space left on device")
	for _, err := range r.UpdateEach(t.Context(), fns[:3]...) {
		if !errors.Is(err, ErrStore) {
			t.Error(err)
		}
	}
}

// Of large objects a commit takes fewer: memory and time of one are limited, however
// many wait.
func TestCommitIsLimitedInOctets(t *testing.T) {
	t.Parallel()
	backend := &scripted{}
	r, err := load(backend, Options{}.withDefaults(), testCodec(t))
	if err != nil {
		t.Fatal(err)
	}
	var fns []func(*Tx) error
	for i := range maxCommit / maxOperations {
		fns = append(fns, func(tx *Tx) error {
			for j := range maxOperations {
				large := TSIG{ID: fmt.Sprintf("t%d-%d", i, j), Account: "a", Name: "k.example", Algorithm: "hmac-sha256."}
				large.Secret = Secret(base64.StdEncoding.EncodeToString(make([]byte, 32<<10)))
				if err := tx.PutTSIG(large); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := errors.Join(r.UpdateEach(t.Context(), fns...)...); err != nil {
		t.Fatal(err)
	}
	const most = maxCommitOctets + maxOperations*maxObject
	if backend.largest > most {
		t.Errorf("a commit has %d octets, more than %d", backend.largest, most)
	}
	// What is deleted is written to the log, too.
	before := backend.commits
	fns = nil
	for i := range maxCommit / maxOperations {
		fns = append(fns, func(tx *Tx) error {
			for j := range maxOperations {
				if err := tx.DeleteTSIG(fmt.Sprintf("t%d-%d", i, j)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := errors.Join(r.UpdateEach(t.Context(), fns...)...); err != nil {
		t.Fatal(err)
	}
	if commits := backend.commits - before; commits < maxCommit*(43<<10)/most {
		t.Errorf("%d commits to delete it all", commits)
	}
}

// The largest transaction there can be fits a record of the log, and is rebuilt from it.
func TestLargestTransaction(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := openWith(t, Options{Dir: dir})
	for round := range 2 {
		update(t, r, func(tx *Tx) error {
			for i := range maxOperations {
				large := TSIG{ID: fmt.Sprint("t", i), Account: "a", Name: fmt.Sprint("k", round), Algorithm: "hmac-sha256."}
				secret := bytes.Repeat([]byte{byte(round), byte(i)}, 35<<9)
				large.Secret = Secret(base64.StdEncoding.EncodeToString(secret))
				if err := tx.PutTSIG(large); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := r.Degraded(); err != nil {
		t.Error(err)
	}
	after := snapshot(t, dir)
	compareCopies(t, after)
	if size := len(testCodec(t).encode(r.state.get(key{KindTSIG, "t1"}))); size > maxObject || size < maxObject*15/16 {
		t.Errorf("the objects have %d octets, want about %d", size, maxObject)
	}
	if err := os.Remove(filepath.Join(after, mainName)); err != nil {
		t.Fatal(err)
	}
	sameObjects(t, r, open(t, after))
}

func FuzzDecode(f *testing.F) {
	p, k, z, a := peer("x"), key1(), zone("x", "example.org", "p"), ACL{ID: "x", Name: "a", IPRange: "192.0.2.0/24"}
	out, reg := outgoing("x", "example.org", "p"), Registration{ID: "x", Name: "example.org", Paused: true, Vanity: []string{"ns.example"}}
	k.ID = "x"
	secret, c := token("x"), testCodec(f)
	for _, o := range []object{&p, &k, &z, &a, &out, &reg, &secret} {
		f.Add(byte(o.key().kind), c.encode(o))
	}
	f.Fuzz(func(t *testing.T, kind byte, value []byte) {
		o, err := c.decode(Entry{Kind(kind), "x", value})
		if err != nil {
			return
		}
		again, err := c.decode(Entry{Kind(kind), "x", c.encode(o)})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(o, again); diff != "" {
			t.Fatal(diff)
		}
	})
}

// No octets make the check panic or run on; those it passes are safe to load.
func FuzzCheckBolt(f *testing.F) {
	dir := f.TempDir()
	r, err := Open(Options{Dir: dir})
	if err != nil {
		f.Fatal(err)
	}
	if err := r.Update(f.Context(), func(tx *Tx) error { return tx.PutPeer(peer("p")) }); err != nil {
		f.Fatal(err)
	}
	if err := r.Close(); err != nil {
		f.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, mainName))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(8200), uint16(0xFFFF))
	f.Fuzz(func(t *testing.T, at uint32, mask uint16) {
		broken := append([]byte(nil), data...)
		broken[int(at)%len(broken)] ^= byte(mask)
		broken[int(at+1)%len(broken)] ^= byte(mask >> 8)
		path := filepath.Join(t.TempDir(), "config.db")
		if err := os.WriteFile(path, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		inspect(path).close()
	})
}
