package clients

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"sync"
	"testing"

	"secondaryd/test/harness"
)

// resource is an object as Terraform manages it.
type resource struct {
	all    string         // path of the POST
	single bool           // the object has the path of the POST, not one below
	config map[string]any // what the user wrote; nil is an explicit null
	id     string         // known after the POST
}

func (r *resource) path() string {
	if r.single {
		return r.all
	}
	return r.all + "/" + r.id
}

// terraform makes Terraform's calls in the order of its provider. It knows
// nothing of the daemon but the base URL and the token.
type terraform struct {
	t      *testing.T
	client *harness.Client
}

func (w *world) terraform(t *testing.T) *terraform {
	t.Helper()
	return &terraform{t, &harness.Client{Base: w.base(), Token: w.Client.Token}}
}

// do is safe for concurrent use.
func (tf *terraform) do(method, path string, body any) (status int, result map[string]any) {
	answer, err := tf.client.Do(method, path, body)
	if err != nil {
		tf.t.Error(err)
		return 0, nil
	}
	if answer.Status != http.StatusOK {
		tf.t.Logf("%s %s: status %d, %+v", method, path, answer.Status, answer.Errors)
		return answer.Status, nil
	}
	if err := json.Unmarshal(answer.Result, &result); err != nil {
		tf.t.Errorf("%s %s: %v in %s", method, path, err, answer.Result)
	}
	return answer.Status, result
}

// atOnce has Terraform's workers handle what does not depend on each other.
func atOnce(resources []*resource, handle func(*resource)) {
	var workers sync.WaitGroup
	for _, r := range resources {
		workers.Go(func() { handle(r) })
	}
	workers.Wait()
}

// create creates resources that do not depend on each other. The configuration
// goes into the POST without its nulls.
func (tf *terraform) create(resources ...*resource) {
	tf.t.Helper()
	atOnce(resources, func(r *resource) {
		body := maps.Clone(r.config)
		maps.DeleteFunc(body, func(_ string, v any) bool { return v == nil })
		status, result := tf.do(http.MethodPost, r.all, body)
		if status != http.StatusOK {
			tf.t.Errorf("POST %s: status %d", r.all, status)
			return
		}
		r.id, _ = result["id"].(string)
		tf.compare(r, result)
	})
}

// update replaces a resource; what the user removed is sent as null.
func (tf *terraform) update(r *resource, changes map[string]any) {
	tf.t.Helper()
	maps.Copy(r.config, changes)
	status, result := tf.do(http.MethodPut, r.path(), r.config)
	if status != http.StatusOK {
		tf.t.Errorf("PUT %s: status %d", r.path(), status)
		return
	}
	tf.compare(r, result)
}

// plan refreshes and reports every difference: a second plan has to be empty.
func (tf *terraform) plan(resources ...*resource) {
	tf.t.Helper()
	atOnce(resources, func(r *resource) {
		status, result := tf.do(http.MethodGet, r.path(), nil)
		if status != http.StatusOK {
			tf.t.Errorf("GET %s: status %d", r.path(), status)
			return
		}
		tf.compare(r, result)
	})
}

// compare reports what Terraform would show as a difference: a member that comes
// back in another form than it was sent, or one that was not sent and is set.
func (tf *terraform) compare(r *resource, result map[string]any) {
	tf.t.Helper()
	text, err := json.Marshal(r.config)
	var want map[string]any
	if err == nil {
		err = json.Unmarshal(text, &want)
	}
	if err != nil {
		tf.t.Error(err)
		return
	}
	for name, value := range want {
		if !holds(result[name], value) {
			tf.t.Errorf("%s: %s is %#v, the configuration has %#v", r.path(), name, result[name], value)
		}
	}
	if result["id"] != r.id {
		tf.t.Errorf("%s: the id is %v, want %s", r.path(), result["id"], r.id)
	}
}

// holds says whether got is want; an object may have members besides.
func holds(got, want any) bool {
	object, ok := want.(map[string]any)
	if !ok {
		return reflect.DeepEqual(got, want)
	}
	members, _ := got.(map[string]any)
	for name, value := range object {
		if !holds(members[name], value) {
			return false
		}
	}
	return true
}

// destroy deletes resources that do not depend on each other. A second deletion
// is told that there is nothing, and so is a read.
func (tf *terraform) destroy(resources ...*resource) {
	tf.t.Helper()
	atOnce(resources, func(r *resource) {
		if status, result := tf.do(http.MethodDelete, r.path(), nil); status != http.StatusOK || result["id"] != r.id {
			tf.t.Errorf("DELETE %s: status %d, result %v", r.path(), status, result)
		}
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			if status, _ := tf.do(method, r.path(), nil); status != http.StatusNotFound {
				tf.t.Errorf("%s %s after its deletion: status %d, want 404", method, r.path(), status)
			}
		}
	})
}

// ofAccount is a resource of the account, not created yet.
func ofAccount(kind string, config map[string]any) *resource {
	return &resource{all: "/accounts/" + harness.AccountID + "/secondary_dns/" + kind, config: config}
}

// ofZone is a resource that a zone has one of.
func ofZone(kind string, config map[string]any) *resource {
	return &resource{all: "/zones/" + harness.ZoneID(zoneName) + "/secondary_dns/" + kind, single: true, config: config}
}

// TestTerraform plays apply, plan, change, plan and destroy.
func TestTerraform(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tf := w.terraform(t)
	addr := w.primary.Addr()
	tsig := ofAccount("tsigs", map[string]any{"name": key.Name, "algo": key.Algorithm, "secret": key.Secret})
	acl := ofAccount("acls", map[string]any{"name": "notifiers", "ip_range": "192.0.2.53/28"})
	bare := ofAccount("peers", map[string]any{"name": "bare", "ip": nil, "port": nil, "ixfr_enable": nil, "tsig_id": nil})
	tf.create(tsig, acl, bare)
	peer := ofAccount("peers", map[string]any{
		"name": "primary", "ip": addr.Addr().String(), "port": addr.Port(), "ixfr_enable": true, "tsig_id": tsig.id,
	})
	tf.create(peer)
	zone := ofZone("incoming", map[string]any{
		"name": "Example.test", "peers": []string{peer.id, bare.id}, "auto_refresh_seconds": 86400,
	})
	tf.create(zone)
	all := []*resource{tsig, acl, bare, peer, zone}
	tf.plan(all...)
	w.served(t, 1)
	tf.plan(all...) // what moves by itself is no difference

	tf.update(zone, map[string]any{"peers": []string{peer.id}, "auto_refresh_seconds": 300})
	tf.update(bare, map[string]any{"ip": "2001:DB8::53", "port": 0, "ixfr_enable": false, "tsig_id": tsig.id})
	tf.update(acl, map[string]any{"ip_range": "2001:DB8::1/64"})
	tf.plan(all...)
	tf.update(bare, map[string]any{"ip": nil, "port": nil, "ixfr_enable": nil, "tsig_id": nil})
	tf.plan(all...)

	tf.destroy(zone, acl, bare)
	w.gone(t)
	tf.destroy(peer)
	tf.destroy(tsig)
}

// TestTerraformMakesAnew has an object vanish behind Terraform's back: a read
// says 404, and nothing else, so that it is planned and created again.
func TestTerraformMakesAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tf := w.terraform(t)
	peer := ofAccount("peers", map[string]any{"name": "primary"})
	tf.create(peer)
	zone := ofZone("incoming", map[string]any{"name": zoneName, "peers": []string{peer.id}, "auto_refresh_seconds": 86400})
	tf.create(zone)
	w.Client.DeleteIncoming(t, zoneName)
	if status, _ := tf.do(http.MethodGet, zone.path(), nil); status != http.StatusNotFound {
		t.Errorf("GET of what is gone: status %d, want 404", status)
	}
	tf.create(zone)
	tf.plan(zone, peer)
	tf.destroy(zone)
	tf.destroy(peer)
}
