package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"time"

	"secondaryd/test/harness"
)

const account = "/accounts/" + harness.AccountID + "/secondary_dns/"

// call does a request and checks the status, and that the envelope agrees.
func (s *soak) call(ctx context.Context, method, path string, body any, statuses ...int) *harness.Answer {
	s.counts.requests.Add(1)
	answer, err := s.daemon.Client.Do(method, path, body)
	switch {
	case ctx.Err() != nil:
		return new(harness.Answer)
	case err != nil:
		s.faults.add("API: %v", err)
		return new(harness.Answer)
	case !slices.Contains(statuses, answer.Status) || answer.Success != (answer.Status == http.StatusOK):
		s.faults.add("API: %s %s %+v: status %d %+v, want one of %v", method, path, body, answer.Status, answer.Errors, statuses)
	}
	return answer
}

// object creates one of an account and returns its id.
func (s *soak) object(ctx context.Context, kind string, body any) (id string) {
	answer := s.call(ctx, http.MethodPost, account+kind, body, http.StatusOK)
	var made struct{ ID string }
	if err := json.Unmarshal(answer.Result, &made); err != nil && ctx.Err() == nil {
		s.faults.add("API: created %s: %v in %s", kind, err, answer.Result)
	}
	return made.ID
}

// turnObjects creates, changes and deletes peers, keys and ACLs of its own.
func (s *soak) turnObjects(ctx context.Context) {
	for rest(ctx, s.scale.apiPause) {
		key := s.object(ctx, "tsigs", harness.TSIG{Name: "passing.key.", Algo: goodKey.Algorithm, Secret: goodKey.Secret})
		peer := harness.Peer{Name: "passing", IP: "127.0.0.9", Port: 5300, TSIGID: key}
		peer.ID = s.object(ctx, "peers", peer)
		acl := s.object(ctx, "acls", map[string]string{"name": "passing", "ip_range": "192.0.2.0/28"})
		s.call(ctx, http.MethodDelete, account+"tsigs/"+key, nil, http.StatusBadRequest) // in use
		peer.TSIGID = ""
		s.call(ctx, http.MethodPut, account+"peers/"+peer.ID, peer, http.StatusOK)
		s.call(ctx, http.MethodPut, account+"acls/"+acl, map[string]string{"name": "passed", "ip_range": "2001:db8::/64"}, http.StatusOK)
		for _, path := range []string{"tsigs", "peers", "acls", "tsigs/" + key, "peers/" + peer.ID, "acls/" + acl} {
			s.call(ctx, http.MethodGet, account+path, nil, http.StatusOK)
		}
		for _, path := range []string{"tsigs/" + key, "peers/" + peer.ID, "acls/" + acl} {
			s.call(ctx, http.MethodDelete, account+path, nil, http.StatusOK)
		}
		s.call(ctx, http.MethodGet, account+"peers/"+peer.ID, nil, http.StatusNotFound)
	}
}

// turnPeer changes the key that zones transfer with, and the peer that has it:
// right, wrong, gone.
func (s *soak) turnPeer(ctx context.Context) {
	for rest(ctx, 10*s.scale.apiPause) {
		key := turningKey
		if rand.IntN(2) == 0 {
			key.Secret = wrongKey.Secret
		}
		s.call(ctx, http.MethodPut, account+"tsigs/"+s.turning.TSIGID,
			harness.TSIG{Name: key.Name, Algo: key.Algorithm, Secret: key.Secret}, http.StatusOK)
		peer := s.turning
		switch rand.IntN(4) {
		case 0:
			peer.Port = int(s.closed.Port())
		case 1:
			peer.TSIGID = ""
		case 2:
			peer.IP = "127.0.0.8"
		}
		s.call(ctx, http.MethodPut, account+"peers/"+peer.ID, peer, http.StatusOK)
	}
}

// scrape reads what is read all the time from a daemon in production.
func (s *soak) scrape(ctx context.Context) {
	for rest(ctx, 4*s.scale.apiPause) {
		if _, err := s.daemon.Client.Scrape(); err != nil && ctx.Err() == nil {
			s.faults.add("API: %v", err)
		}
		if !s.daemon.Client.Ready() && ctx.Err() == nil {
			s.faults.add("API: not ready")
		}
	}
}

// annoy sends what has to be refused.
func (s *soak) annoy(ctx context.Context) {
	stranger := harness.Client{Base: s.daemon.Client.Base, Token: "no such token"}
	for rest(ctx, 4*s.scale.apiPause) {
		if answer, err := stranger.Do(http.MethodGet, account+"peers", nil); ctx.Err() == nil && (err != nil || answer.Status != http.StatusUnauthorized) {
			s.faults.add("API: a wrong token got %+v, %v", answer, err)
		}
		s.call(ctx, http.MethodPost, account+"peers", []string{"no object"}, http.StatusBadRequest)
		s.call(ctx, http.MethodPost, account+"acls", map[string]string{"name": "wide", "ip_range": "192.0.0.0/8"}, http.StatusBadRequest)
		s.call(ctx, http.MethodGet, account+"nothing", nil, http.StatusNotFound)
		s.call(ctx, http.MethodPatch, account+"peers", nil, http.StatusMethodNotAllowed)
		if err := s.halfRequest(ctx); err != nil && ctx.Err() == nil {
			s.faults.add("API: %v", err)
		}
	}
}

// halfRequest leaves in the middle of a request.
func (s *soak) halfRequest(ctx context.Context) error {
	dialer := net.Dialer{Timeout: tcpLimit}
	conn, err := dialer.DialContext(ctx, "tcp", s.daemon.API.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	text := fmt.Sprintf("POST %speers HTTP/1.1\r\nHost: soak\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"name\":",
		account, s.daemon.Client.Token)
	if _, err := io.WriteString(conn, text[:rand.IntN(len(text)+1)]); err != nil {
		return err
	}
	rest(ctx, time.Duration(rand.IntN(50))*time.Millisecond)
	return nil
}
