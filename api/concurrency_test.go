package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

// atOnce makes requests at the same time, and gives what they were answered with
// in their order.
func (w *world) atOnce(t *testing.T, requests ...[3]string) []answer {
	t.Helper()
	answers := make([]answer, len(requests))
	var ready, done sync.WaitGroup
	ready.Add(len(requests))
	for i, r := range requests {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			answers[i] = w.send(t, r[0], r[1], r[2])
		})
	}
	done.Wait()
	return answers
}

// Of many who create the same at once one wins, and the others are told what is
// in their way.
func TestConcurrentCreation(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		request func(s seeded, n int) [3]string
		losers  []string
	}{
		"one zone id": {
			func(s seeded, n int) [3]string {
				return [3]string{"POST", incomingPath(zoneTwo), s.zoneBody(fmt.Sprint("new", n, ".example"))}
			},
			[]string{"2301"},
		},
		"one name": {
			func(s seeded, n int) [3]string {
				return [3]string{"POST", incomingPath(fmt.Sprint("zone", n)), s.zoneBody("new.example")}
			},
			[]string{"2109 /name"},
		},
		"one name, handed out": {
			func(s seeded, n int) [3]string {
				return [3]string{"POST", outgoingPath(fmt.Sprint("zone", n)), s.outgoingBody("new.example")}
			},
			[]string{"2109 /name"},
		},
		"one zone id, handed out": {
			func(s seeded, _ int) [3]string {
				return [3]string{"POST", outgoingPath(zoneTwo), s.outgoingBody("new.example")}
			},
			[]string{"2306"},
		},
		"one name, without an id": {
			func(_ seeded, _ int) [3]string {
				return [3]string{"POST", "/zones", `{"name":"new.example","account":{"id":"` + accountA + `"}}`}
			},
			[]string{"1061 /name"},
		},
		"one name, in all ways": {
			func(s seeded, n int) [3]string {
				return [...][3]string{
					{"POST", incomingPath(fmt.Sprint("zone", n)), s.zoneBody("new.example")},
					{"POST", outgoingPath(fmt.Sprint("zone", n)), s.outgoingBody("new.example")},
					{"POST", "/zones", `{"name":"new.example","account":{"id":"` + accountA + `"}}`},
				}[n%3]
			},
			[]string{"2109 /name", "1061 /name"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := seed(t)
			var requests [][3]string
			for n := range 9 {
				requests = append(requests, test.request(s, n))
			}
			before, winners := s.Registry.Revision(), 0
			for i, got := range s.atOnce(t, requests...) {
				switch {
				case got.status == 200:
					winners++
				case got.status != 400 || !slices.Contains(test.losers, got.faults()):
					t.Errorf("%v: %s", requests[i], got.body)
				}
			}
			if winners != 1 || s.Registry.Revision() != before+1 {
				t.Errorf("%d won, in %d transactions", winners, s.Registry.Revision()-before)
			}
		})
	}
}

// What is deleted while something else takes it is either gone, and was not
// taken, or taken, and stays.
func TestDeletionBesideUse(t *testing.T) {
	t.Parallel()
	s := seed(t)
	for n := range 30 {
		peer := s.must(t, "POST", peersPath, `{"name":"n"}`)
		key := s.must(t, "POST", tsigsPath, `{"name":"k","algo":"hmac-sha1","secret":"YQ=="}`)
		zone := fmt.Sprint("zone", n)
		got := s.atOnce(
			t,
			[3]string{"DELETE", peersPath + "/" + peer, ""},
			[3]string{"POST", incomingPath(zone), fmt.Sprintf(`{"name":"n%d.example","peers":[%q]}`, n, peer)},
			[3]string{"DELETE", tsigsPath + "/" + key, ""},
			[3]string{"POST", peersPath, `{"name":"n","tsig_id":"` + key + `"}`},
		)
		for i, lost := range []struct{ deletion, use string }{{"2302", "2106 /peers/0"}, {"2303", "2106 /tsig_id"}} {
			deletion, use := got[2*i], got[2*i+1]
			gone := deletion.status == 200 && use.status == 400 && use.faults() == lost.use
			taken := use.status == 200 && deletion.status == 400 && deletion.faults() == lost.deletion
			if gone == taken {
				t.Fatalf("round %d: the deletion: %s\nthe use: %s", n, deletion.body, use.body)
			}
		}
		if _, ok := s.Registry.Peer(peer); ok != (got[1].status == 200) {
			t.Fatalf("round %d: the peer is there: %t", n, ok)
		}
	}
}

// A change is applied whole: who reads meanwhile sees what one writer has sent.
func TestChangesAreWhole(t *testing.T) {
	t.Parallel()
	s := seed(t)
	path := peersPath + "/" + s.bare
	s.must(t, "PUT", path, `{"name":"port0","port":0}`)
	var writers, readers sync.WaitGroup
	stop := make(chan struct{})
	for n := range 4 {
		writers.Go(func() {
			for i := range 25 {
				port := n*25 + i
				if got := s.send(t, "PUT", path, fmt.Sprintf(`{"name":"port%d","port":%d}`, port, port)); got.status != 200 {
					t.Error(got.body)
				}
			}
		})
	}
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				var peer struct {
					Name string
					Port int
				}
				got := s.send(t, "GET", path, "")
				if err := json.Unmarshal(got.env.Result, &peer); err != nil || strings.TrimPrefix(peer.Name, "port") != fmt.Sprint(peer.Port) {
					t.Errorf("%v: %s", err, got.body)
					return
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
}
