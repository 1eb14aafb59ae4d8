package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"weak"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	account = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	other   = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

func open(t *testing.T, dir string) *Registry {
	t.Helper()
	return openWith(t, Options{Dir: dir})
}

func openWith(t *testing.T, options Options) *Registry {
	t.Helper()
	options.LockTimeout = time.Millisecond
	r, err := Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// update runs fn, which has to succeed.
func update(t *testing.T, r *Registry, fn func(tx *Tx) error) {
	t.Helper()
	if err := r.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func peer(id string) Peer {
	return Peer{ID: id, Account: account, Name: "peer " + id, IP: new("192.0.2.53")}
}

func key1() TSIG {
	return TSIG{ID: "k1", Account: account, Name: "key.example.", Algorithm: "HMAC-SHA256", Secret: "c2VjcmV0"}
}

func zone(id, name string, peers ...string) Zone {
	return Zone{ID: id, Name: name, AutoRefresh: 300, Peers: peers, MaxShrink: new(uint8(80))}
}

func outgoing(id, name string, peers ...string) Outgoing {
	return Outgoing{ID: id, Name: name, Peers: peers, Enabled: true}
}

func registration(id, name string) Registration {
	return Registration{ID: id, Account: account, Name: name}
}

// seeded has the key k1, the peers p1 (which uses it) and p2, the peer p3 of
// another account, and the zone z1 of p1.
func seeded(t *testing.T) *Registry {
	t.Helper()
	r := open(t, t.TempDir())
	seed(t, r)
	return r
}

func seed(t *testing.T, r *Registry) {
	t.Helper()
	update(t, r, func(tx *Tx) error {
		p1, p3 := peer("p1"), peer("p3")
		p1.Source = new("192.0.2.9")
		p1.TSIG, p1.Port, p1.IXFR = new("k1"), new(uint16(5353)), new(true)
		p3.Account = other
		return errors.Join(tx.PutTSIG(key1()), tx.PutPeer(p1), tx.PutPeer(peer("p2")), tx.PutPeer(p3),
			tx.PutZone(zone("z1", "Example.org", "p1")),
			tx.PutACL(ACL{ID: "a1", Account: account, Name: "net", IPRange: "192.0.2.53/28"}))
	})
}

func TestReadBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.FixedZone("", 3600))
	stamp := time.Date(2026, 1, 2, 2, 4, 5, 678901000, time.UTC)
	first := openWith(t, Options{Dir: dir, Now: func() time.Time { return at }})
	seed(t, first)
	check := func(r *Registry) {
		t.Helper()
		z, _ := r.ZoneByName("example.org.")
		want := Zone{
			ID: "z1", Account: account, Name: "Example.org", AutoRefresh: 300, Peers: []string{"p1"}, MaxShrink: new(uint8(80)),
			Created: stamp, Modified: stamp, Revision: 1,
		}
		if diff := cmp.Diff(want, z); diff != "" {
			t.Error(diff)
		}
		a, _ := r.ACL("a1")
		if a.IPRange != "192.0.2.53/28" || !a.Created.Equal(stamp) {
			t.Errorf("acl %+v", a)
		}
		if prefix, _ := a.Prefix(); prefix.String() != "192.0.2.48/28" {
			t.Errorf("prefix %s", prefix)
		}
		k, _ := r.TSIG("k1")
		if k.Secret.Reveal() != "c2VjcmV0" || k.Algorithm != "HMAC-SHA256" {
			t.Errorf("tsig %q %q", k.Algorithm, k.Secret.Reveal())
		}
		p, _ := r.Peer("p1")
		if addr, ok := p.AddrPort(); !ok || addr.String() != "192.0.2.53:5353" || !*p.IXFR || *p.TSIG != "k1" || p.SourceAddr().String() != "192.0.2.9" {
			t.Errorf("peer %+v", p)
		}
		if got := len(r.Peers(account)); got != 2 {
			t.Errorf("%d peers in the account", got)
		}
		if got := fmt.Sprint(r.ZonesOfPeer("p1"), r.PeersOfTSIG("k1"), len(r.TSIGs(account)), len(r.ACLs(other)), len(zonesOf(r))); got != "[z1] [p1] 1 0 1" {
			t.Error(got)
		}
		if r.Revision() != 1 {
			t.Errorf("revision %d", r.Revision())
		}
	}
	check(first)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	check(open(t, dir))
}

func TestReturnedValuesAreCopies(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	z, _ := r.Zone("z1")
	z.Peers[0] = "changed"
	p, _ := r.Peer("p1")
	*p.IP, *p.TSIG = "changed", "changed"
	again, _ := r.Zone("z1")
	peer, _ := r.Peer("p1")
	if again.Peers[0] != "p1" || *peer.IP != "192.0.2.53" || *peer.TSIG != "k1" {
		t.Errorf("%v %v", again.Peers, *peer.IP)
	}
}

func TestAddrPort(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		peer Peer
		want string
	}{
		{Peer{}, ""},
		{Peer{IP: new("192.0.2.1")}, "192.0.2.1:53"},
		{Peer{IP: new("192.0.2.1"), Port: new(uint16(0))}, "192.0.2.1:53"},
		{Peer{IP: new("::ffff:192.0.2.1"), Port: new(uint16(54))}, "192.0.2.1:54"},
		{Peer{IP: new("2001:db8::1"), Port: new(uint16(65535))}, "[2001:db8::1]:65535"},
		{Peer{IP: new("192.0.2.1"), TLS: &PeerTLS{}}, "192.0.2.1:853"},
		{Peer{IP: new("192.0.2.1"), Port: new(uint16(0)), TLS: &PeerTLS{}}, "192.0.2.1:853"},
		{Peer{IP: new("192.0.2.1"), Port: new(uint16(54)), TLS: &PeerTLS{}}, "192.0.2.1:54"},
	} {
		got, ok := test.peer.AddrPort()
		if ok != (test.want != "") || ok && got.String() != test.want {
			t.Errorf("got %s %t, want %q", got, ok, test.want)
		}
	}
}

func TestInvariants(t *testing.T) {
	t.Parallel()
	thirtyOne := make([]string, 31)
	for _, test := range []struct {
		name    string
		fn      func(tx *Tx) error
		pointer string // of an InvalidError
		reason  Reason
		is      error
	}{
		{"name taken in another case", func(tx *Tx) error { return tx.PutZone(zone("z2", "eXample.ORG.", "p2")) }, "/name", ReasonTaken, nil},
		{"name taken by other escapes", func(tx *Tx) error { return tx.PutZone(zone("z2", `\101xample.org.`, "p2")) }, "/name", ReasonTaken, nil},
		{"unknown peer", func(tx *Tx) error { return tx.PutZone(zone("z2", "a.example", "p1", "p9")) }, "/peers/1", ReasonUnknown, nil},
		{"peer of another account", func(tx *Tx) error { return tx.PutZone(zone("z2", "a.example", "p1", "p3")) }, "/peers/1", ReasonAccount, nil},
		{"peer twice", func(tx *Tx) error { return tx.PutZone(zone("z2", "a.example", "p1", "p1")) }, "/peers/1", ReasonDuplicate, nil},
		{"no peer", func(tx *Tx) error { return tx.PutZone(zone("z2", "a.example")) }, "/peers", ReasonMissing, nil},
		{"31 peers", func(tx *Tx) error { return tx.PutZone(zone("z2", "a.example", thirtyOne...)) }, "/peers", ReasonTooMany, nil},
		{"refresh below 300", func(tx *Tx) error {
			return tx.PutZone(Zone{ID: "z2", Name: "a.example", AutoRefresh: 299, Peers: []string{"p1"}})
		}, "/auto_refresh_seconds", ReasonRange, nil},
		{"unknown key", func(tx *Tx) error { return tx.PutPeer(Peer{ID: "p9", Account: account, Name: "x", TSIG: new("k9")}) }, "/tsig_id", ReasonUnknown, nil},
		{"key of another account", func(tx *Tx) error { return tx.PutPeer(Peer{ID: "p9", Account: other, Name: "x", TSIG: new("k1")}) }, "/tsig_id", ReasonUnknown, nil},
		{"peer moves account", func(tx *Tx) error { return tx.PutPeer(Peer{ID: "p2", Account: other, Name: "x"}) }, "", ReasonAccount, nil},
		{"peer in use", func(tx *Tx) error { return tx.DeletePeer("p1") }, "", 0, &InUseError{KindPeer, "p1", []string{"z1"}}},
		{"key in use", func(tx *Tx) error { return tx.DeleteTSIG("k1") }, "", 0, &InUseError{KindTSIG, "k1", []string{"p1"}}},
		{"outgoing: name of another zone", func(tx *Tx) error { return tx.PutOutgoing(outgoing("z2", "EXAMPLE.org.", "p2")) }, "/name", ReasonTaken, nil},
		{"outgoing: another name than the zone's", func(tx *Tx) error { return tx.PutOutgoing(outgoing("z1", "a.example", "p2")) }, "/name", ReasonOtherName, nil},
		{"outgoing: malformed name", func(tx *Tx) error { return tx.PutOutgoing(outgoing("z2", "a b", "p2")) }, "/name", ReasonMalformed, nil},
		{"outgoing: peer of another account than the zone's", func(tx *Tx) error { return tx.PutOutgoing(outgoing("z1", "example.org", "p3")) }, "/peers/0", ReasonAccount, nil},
		{"outgoing: no peer", func(tx *Tx) error { return tx.PutOutgoing(outgoing("z2", "a.example")) }, "/peers", ReasonMissing, nil},
		{"outgoing: 31 peers", func(tx *Tx) error { return tx.PutOutgoing(outgoing("z2", "a.example", thirtyOne...)) }, "/peers", ReasonTooMany, nil},
		{"outgoing: unknown peer", func(tx *Tx) error { return tx.PutOutgoing(outgoing("z2", "a.example", "p9")) }, "/peers/0", ReasonUnknown, nil},
		{"zone: another name than its outgoing", func(tx *Tx) error {
			return errors.Join(tx.PutOutgoing(outgoing("z1", "example.org.", "p2")), tx.PutZone(zone("z1", "a.example", "p1")))
		}, "/name", ReasonOtherName, nil},
		{"zone: name of another's outgoing", func(tx *Tx) error {
			return errors.Join(tx.PutOutgoing(outgoing("z2", "a.example", "p2")), tx.PutZone(zone("z3", "a.example", "p1")))
		}, "/name", ReasonTaken, nil},
		{"peer in use by both configurations", func(tx *Tx) error {
			return errors.Join(
				tx.PutOutgoing(outgoing("z1", "example.org", "p1")), tx.PutOutgoing(outgoing("z2", "a.example", "p1")), tx.DeletePeer("p1"))
		}, "", 0, &InUseError{KindPeer, "p1", []string{"z1", "z2"}}},
		{"registration: name of another zone", func(tx *Tx) error { return tx.PutRegistration(registration("z2", "EXAMPLE.org.")) }, "/name", ReasonTaken, nil},
		{"registration: another name than the zone's", func(tx *Tx) error { return tx.PutRegistration(registration("z1", "a.example")) }, "/name", ReasonOtherName, nil},
		{"registration: another account than the zone's", func(tx *Tx) error {
			reg := registration("z1", "example.org")
			reg.Account = other
			return tx.PutRegistration(reg)
		}, "/account/id", ReasonAccount, nil},
		{"registration: malformed name", func(tx *Tx) error { return tx.PutRegistration(registration("z2", "a b")) }, "/name", ReasonMalformed, nil},
		{"registration: no account", func(tx *Tx) error { return tx.PutRegistration(Registration{ID: "z2", Name: "a.example"}) }, "/account/id", ReasonMissing, nil},
		{"registration: malformed name server", func(tx *Tx) error {
			reg := registration("z2", "a.example")
			reg.Vanity = []string{"ns.example", "a b"}
			return tx.PutRegistration(reg)
		}, "/vanity_name_servers/1", ReasonMalformed, nil},
		{"registration: 17 name servers", func(tx *Tx) error {
			reg := registration("z2", "a.example")
			reg.Vanity = slices.Repeat([]string{"ns.example"}, 17)
			return tx.PutRegistration(reg)
		}, "/vanity_name_servers", ReasonTooMany, nil},
		{"zone: another name than the registration", func(tx *Tx) error {
			return errors.Join(tx.PutRegistration(registration("z2", "a.example")), tx.PutZone(zone("z2", "b.example", "p2")))
		}, "/name", ReasonOtherName, nil},
		{"zone: peer of another account than the registration's", func(tx *Tx) error {
			return errors.Join(tx.PutRegistration(registration("z2", "a.example")), tx.PutZone(zone("z2", "a.example", "p3")))
		}, "/peers/0", ReasonAccount, nil},
		{"delete a zone there is nothing of", func(tx *Tx) error { return tx.DeleteListedZone("z9") }, "", 0, ErrNotFound},
		{"delete an outgoing that is not there", func(tx *Tx) error { return tx.DeleteOutgoing("z1") }, "", 0, ErrNotFound},
		{"peer in use by this transaction", func(tx *Tx) error {
			return errors.Join(tx.PutZone(zone("z2", "a.example", "p2")), tx.DeletePeer("p2"))
		}, "", 0, &InUseError{KindPeer, "p2", []string{"z2"}}},
		{"delete what is not there", func(tx *Tx) error { return tx.DeleteZone("z9") }, "", 0, ErrNotFound},
		{"129 operations", func(tx *Tx) error {
			for i := range 129 {
				if err := tx.PutPeer(peer(fmt.Sprint("n", i))); err != nil {
					return err
				}
			}
			return nil
		}, "", 0, ErrTooMany},
		{"64 KiB", func(tx *Tx) error {
			k := key1()
			k.Secret = Secret(strings.Repeat("AAAA", 16<<10))
			return tx.PutTSIG(k)
		}, "", ReasonTooLarge, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := seeded(t)
			err := r.Update(t.Context(), func(tx *Tx) error {
				return errors.Join(tx.PutPeer(peer("extra")), test.fn(tx))
			})
			problems := Problems(err)
			inUse, isInUse := errors.AsType[*InUseError](err)
			switch want, wantInUse := errors.AsType[*InUseError](test.is); {
			case wantInUse:
				if !isInUse || cmp.Diff(want, inUse) != "" {
					t.Errorf("got %v, want %v", err, want)
				}
			case test.is != nil:
				if !errors.Is(err, test.is) {
					t.Errorf("got %v, want %v", err, test.is)
				}
			case len(problems) != 1 || problems[0].Pointer != test.pointer || problems[0].Reason != test.reason:
				t.Errorf("got %v %v", err, problems)
			}
			if _, ok := r.Peer("extra"); ok || r.Revision() != 1 {
				t.Error("a refused transaction changed something")
			}
		})
	}
}

func TestTransactionSeesItself(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	update(t, r, func(tx *Tx) error {
		if err := errors.Join(tx.DeleteZone("z1"), tx.DeletePeer("p1"), tx.DeleteTSIG("k1")); err != nil {
			return err
		}
		if _, ok := tx.ZoneByName("example.org."); ok {
			return errors.New("deleted zone is still found by name")
		}
		return tx.PutZone(zone("z2", "example.org.", "p2"))
	})
	z, ok := r.ZoneByName("example.org.")
	if !ok || z.ID != "z2" || len(r.TSIGs(account)) != 0 || r.ZonesOfPeer("p1") != nil {
		t.Errorf("%+v %t", z, ok)
	}
}

func TestCreatedStaysModifiedMoves(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := openWith(t, Options{Dir: t.TempDir(), Now: func() time.Time { return now }})
	seed(t, r)
	created := now
	now = now.Add(time.Hour)
	update(t, r, func(tx *Tx) error { return tx.PutZone(zone("z1", "example.org", "p2")) })
	z, _ := r.Zone("z1")
	if !z.Created.Equal(created) || !z.Modified.Equal(now) || z.Revision != 2 {
		t.Errorf("%+v", z)
	}
}

func TestPanicInTransaction(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	func() {
		defer func() {
			if recover() != "boom" {
				t.Error("the panic did not reach the caller")
			}
		}()
		_ = r.Update(t.Context(), func(tx *Tx) error {
			if err := tx.DeleteZone("z1"); err != nil {
				return err
			}
			panic("boom")
		})
	}()
	if _, ok := r.Zone("z1"); !ok {
		t.Error("the transaction was kept")
	}
	update(t, r, func(tx *Tx) error { return tx.DeleteZone("z1") })
}

func TestCancelledUpdateDoesNotRun(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Update(ctx, func(tx *Tx) error { return tx.DeleteZone("z1") }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, ok := r.Zone("z1"); !ok {
		t.Error("it ran")
	}
}

func TestConcurrentCreation(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for i := range 16 {
		wg.Go(func() {
			err := r.Update(t.Context(), func(tx *Tx) error {
				return tx.PutZone(zone(fmt.Sprint("n", i), "new.example", "p2"))
			})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if p := Problems(err); len(p) != 1 || p[0].Reason != ReasonTaken {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won != 1 || len(zonesOf(r)) != 2 {
		t.Errorf("%d creations won", won)
	}
}

// TestZones: each zone is there once, and who stops gets no more.
func TestZones(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	for _, id := range []string{"c", "a", "b"} {
		update(t, r, func(tx *Tx) error { return tx.PutZone(zone(id, id+".example", "p1")) })
	}
	var ids []string
	for z := range r.Zones() {
		ids = append(ids, z.ID)
	}
	if slices.Sort(ids); !slices.Equal(ids, []string{"a", "b", "c", "z1"}) || r.ZoneCount() != len(ids) {
		t.Errorf("%v, %d in all", ids, r.ZoneCount())
	}
	for range r.Zones() {
		break
	}
}

func TestSecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	const secret = "dmVyeSBzZWNyZXQ="
	k := TSIG{ID: "k", Name: "key.", Algorithm: "hmac-sha256.", Secret: secret}
	asJSON, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.DebugLevel)
	zap.New(core).Info("key", zap.Any("any", k), zap.Object("object", k), zap.Reflect("reflect", &k), zap.Stringer("secret", k.Secret))
	logged, err := json.Marshal(logs.All()[0].ContextMap())
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{string(asJSON), string(logged), fmt.Sprint(k), fmt.Sprintf("%+v %#v %q", k, &k, k.Secret), fmt.Sprintf("%x %d", k.Secret, k.Secret)}
	for _, text := range texts {
		if strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
			t.Errorf("secret in %s", text)
		}
	}
	if k.Secret.Reveal() != secret {
		t.Error("Reveal does not give the secret")
	}
}

func TestFilesArePrivateAndSmall(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "sub")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	for _, path := range append(bothFiles(t, dir), filepath.Join(dir, lockName), filepath.Join(dir, keyName)) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 || info.Size() > 64<<10 {
			t.Errorf("%s: %s, %d octets", path, info.Mode(), info.Size())
		}
	}
}

func TestSecondDaemonIsTold(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, dir)
	if _, err := Open(Options{Dir: dir, LockTimeout: time.Millisecond}); !errors.Is(err, ErrLocked) {
		t.Error(err)
	}
}

func TestClosed(t *testing.T) {
	t.Parallel()
	r := open(t, t.TempDir())
	seed(t, r)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Update(t.Context(), func(tx *Tx) error { return tx.DeleteZone("z1") }); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, ok := r.Zone("z1"); !ok {
		t.Error("reads ended")
	}
}

// What a transaction was given is not kept when it is done: a bulk request is large.
func TestDoneTransactionsAreLetGo(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	held := func() weak.Pointer[[1 << 20]byte] {
		large := new([1 << 20]byte)
		fns := make([]func(*Tx) error, 3)
		for i := range fns {
			fns[i] = func(tx *Tx) error {
				large[i]++
				return tx.PutPeer(peer(fmt.Sprint("q", i)))
			}
		}
		if err := errors.Join(r.UpdateEach(t.Context(), fns...)...); err != nil {
			t.Error(err)
		}
		return weak.Make(large)
	}()
	runtime.GC()
	if held.Value() != nil {
		t.Error("still in memory")
	}
	runtime.KeepAlive(r)
}

// A part that fails leaves no trace in its transaction, whatever it did.
func TestTry(t *testing.T) {
	t.Parallel()
	r := seeded(t)
	before := r.Revision()
	update(t, r, func(tx *Tx) error {
		if err := tx.PutPeer(peer("p8")); err != nil {
			return err
		}
		room, failed := tx.Room(), errors.New("no")
		err := tx.Try(func() error {
			return errors.Join(tx.PutPeer(peer("p9")), tx.DeleteZone("z1"), tx.DeletePeer("p8"), failed)
		})
		if !errors.Is(err, failed) || tx.Room() != room || room != maxOperations-1 {
			t.Errorf("%v, room for %d operations, before %d", err, tx.Room(), room)
		}
		if named, ok := tx.ZoneName("example.org."); !ok || named.ID != "z1" || named.Account != account {
			t.Errorf("the zone is %+v", named)
		}
		if named, ok := tx.ZoneName("nobody.example."); ok {
			t.Errorf("nobody's name is of %+v", named)
		}
		return tx.Try(func() error { return tx.PutPeer(peer("p10")) })
	})
	var ids []string
	for changes, err := range r.Watch(t.Context(), before) {
		for _, c := range changes {
			ids = append(ids, c.ID)
		}
		if err != nil || len(changes) > 0 {
			break
		}
	}
	if diff := cmp.Diff([]string{"p8", "p10"}, ids); diff != "" {
		t.Error(diff)
	}
	if _, ok := r.Peer("p9"); ok {
		t.Error("a part that failed is there")
	}
}

// zonesOf lists all zones, ordered by id.
func zonesOf(r *Registry) []Zone {
	return slices.SortedFunc(r.Zones(), func(a, b Zone) int { return strings.Compare(a.ID, b.ID) })
}
