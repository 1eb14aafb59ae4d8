package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"secondaryd/internal/certtest"
)

const clearSecret = "bm9ib2R5IG1heSByZWFkIHRoaXM="

// earlier makes the two files of a release that kept secrets in clear, with the
// objects of r.
func earlier(t *testing.T, r *Registry, version uint16) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range []string{mainName, spareName} {
		writeEarlier(t, filepath.Join(dir, name), r, version)
	}
	return dir
}

func writeEarlier(t *testing.T, path string, r *Registry, version uint16) {
	t.Helper()
	file, err := createBolt(path, func(file *boltFile) error {
		sum := head{version: version, revision: r.Revision()}
		return file.db.Update(func(tx *bbolt.Tx) error {
			for e := range r.entries() {
				o := r.state.get(key{e.Kind, e.ID})
				form, _ := storedForm(o)
				payload, err := json.Marshal(form)
				if err != nil {
					return err
				}
				if _, err := replace(tx, &sum, Entry{e.Kind, e.ID, frame(valuePlain, o.key(), o.revision(), payload)}); err != nil {
					return err
				}
			}
			return tx.Bucket(metaBucket).Put(headKey, sum.encode())
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

// withSecrets has a key and a client certificate, and a zone; it returns the
// secrets.
func withSecrets(t *testing.T, r *Registry) [][]byte {
	t.Helper()
	client := certtest.Authority(t).Issue(t, "client.example")
	update(t, r, func(tx *Tx) error {
		k, p := key1(), peer("p1")
		k.Secret = clearSecret
		p.TSIG, p.TLS = new("k1"), &PeerTLS{Name: "a.example", ClientCertificate: client.PEM(), ClientKey: Secret(client.KeyPEM(t))}
		return errors.Join(tx.PutTSIG(k), tx.PutPeer(p), tx.PutZone(zone("z1", "example.org", "p1")))
	})
	return [][]byte{[]byte(clearSecret), []byte("nobody may read this"), []byte(client.KeyPEM(t))[40:80]}
}

// inClear lists the files below dir that hold a secret.
func inClear(t *testing.T, dir string, secrets [][]byte) (found []string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		for _, secret := range secrets {
			if bytes.Contains(data, secret) {
				found = append(found, path)
				break
			}
		}
		return err
	})
	if err != nil || files < 2 {
		t.Fatalf("%d files, %v", files, err)
	}
	return found
}

func TestNoSecretLiesInClear(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	secrets := withSecrets(t, r)
	update(t, r, func(tx *Tx) error { return tx.DeleteZone("z1") })
	update(t, r, func(tx *Tx) error { return tx.DeletePeer("p1") })
	if found := inClear(t, dir, secrets); len(found) > 0 {
		t.Errorf("secrets lie in clear in %v", found)
	}
	if k, ok := open(t, snapshot(t, dir)).TSIG("k1"); !ok || k.Secret != clearSecret {
		t.Error("the secret is not read back")
	}
}

// Files of earlier releases are read, and their secrets encrypted, in all files.
func TestFilesOfAnEarlierRelease(t *testing.T) {
	t.Parallel()
	for _, version := range []uint16{1, 2} {
		first := open(t, t.TempDir())
		secrets := withSecrets(t, first)
		dir := earlier(t, first, version)
		if found := inClear(t, dir, secrets); len(found) != 2 {
			t.Fatalf("in clear only in %v: the test would find nothing", found)
		}
		r := open(t, dir)
		if err := r.Degraded(); err != nil {
			t.Error(err)
		}
		sameObjects(t, first, r)
		if found := inClear(t, dir, secrets); len(found) > 0 || exists(filepath.Join(dir, spareName)) {
			t.Errorf("version %d: secrets lie in clear in %v", version, found)
		}
		compareCopies(t, snapshot(t, dir))
		update(t, r, func(tx *Tx) error { return tx.DeleteZone("z1") })
		core, logs := observer.New(zap.InfoLevel)
		again := openWith(t, Options{Dir: snapshot(t, dir), Log: zap.New(core)})
		sameObjects(t, r, again)
		if logs.Len() > 0 {
			t.Errorf("the start after that says %v", logs.All())
		}
	}
}

// sameObjects compares everything that two registries hold, secrets included.
func sameObjects(t *testing.T, want, got *Registry) {
	t.Helper()
	if diff := cmp.Diff(plain(want), plain(got)); diff != "" || want.Revision() != got.Revision() {
		t.Errorf("revision %d, want %d:\n%s", got.Revision(), want.Revision(), diff)
	}
}

func plain(r *Registry) map[key]string {
	objects := map[key]string{}
	for e := range r.entries() {
		form, _ := storedForm(r.state.get(key{e.Kind, e.ID}))
		text, _ := json.Marshal(form)
		objects[key{e.Kind, e.ID}] = string(text)
	}
	return objects
}

// Whichever of the two files of an earlier release is newer, or whole alone, is
// taken; also when the start that encrypts them was interrupted.
func TestEarlierFilesDiffer(t *testing.T) {
	t.Parallel()
	first := open(t, t.TempDir())
	secrets := withSecrets(t, first)
	behind := earlier(t, first, 2)
	update(t, first, func(tx *Tx) error { return tx.PutPeer(peer("p7")) })
	newest := earlier(t, first, 2)
	remove := func(name string) func(string) error {
		return func(dir string) error { return os.Remove(filepath.Join(dir, name)) }
	}
	spoiled := func(name string) func(string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), []byte("damaged"), 0o600) }
	}
	old := func(name string) func(string) error {
		return func(dir string) error {
			copyFile(t, filepath.Join(behind, name), filepath.Join(dir, name))
			return nil
		}
	}
	sealed := func(dir string) error {
		r := open(t, snapshot(t, newest))
		copyFile(t, filepath.Join(r.options.Dir, mainName), filepath.Join(dir, mainName))
		for _, name := range []string{"secrets.key", "secrets-copy.key"} {
			copyFile(t, filepath.Join(r.options.Dir, name), filepath.Join(dir, name))
		}
		return nil
	}
	for name, change := range map[string]func(dir string) error{
		"main file missing": remove(mainName), "copy missing": remove(spareName),
		"main file damaged": spoiled(mainName), "copy damaged": spoiled(spareName),
		"main file behind": old(mainName), "copy behind": old(spareName),
		"interrupted": sealed,
	} {
		dir := snapshot(t, newest)
		if err := change(dir); err != nil {
			t.Fatal(err)
		}
		r := open(t, dir)
		sameObjects(t, first, r)
		if found := inClear(t, dir, secrets); len(found) > 0 || exists(filepath.Join(dir, spareName)) || r.Degraded() != nil {
			t.Errorf("%s: secrets lie in clear in %v; %v", name, found, r.Degraded())
		}
	}
}

// An old main file of an earlier release, put beside a log, does not win over it.
func TestEarlierFileBesideALog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := open(t, dir)
	secrets := withSecrets(t, r)
	old := earlier(t, r, 2)
	update(t, r, func(tx *Tx) error { return tx.PutPeer(peer("p7")) })
	restored := snapshot(t, dir)
	copyFile(t, filepath.Join(old, mainName), filepath.Join(restored, mainName))
	core, logs := observer.New(zap.WarnLevel)
	sameObjects(t, r, openWith(t, Options{Dir: restored, Log: zap.New(core)}))
	behind := filepath.Join(restored, mainName+behindSuffix)
	if found := inClear(t, restored, secrets); !slices.Equal(found, []string{behind}) {
		t.Errorf("secrets lie in clear in %v, want them in what was kept alone", found)
	}
	if logs.FilterMessageSnippet("in clear").FilterField(zap.String("path", behind)).Len() != 1 {
		t.Errorf("said %v", logs.All())
	}
}
