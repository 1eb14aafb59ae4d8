package api

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// run serves w until the test ends and returns its address.
func (w *world) run(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return w.Addr().String()
}

// raw sends octets to the server and parses what comes back.
func raw(t *testing.T, address, request string) answer {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	method, rest, _ := strings.Cut(request, " ")
	path, _, _ := strings.Cut(rest, " ")
	got := check(t, response)
	contractOf(t).judge(t, method, path, got.status, got.header, []byte(got.body))
	return got
}

// The bodies that clients put on the actions: none at all, an empty chunked
// one that claims to be JSON, null, an object.
func TestActionBodiesOnTheWire(t *testing.T) {
	t.Parallel()
	s := seed(t)
	address := s.run(t)
	head := "POST /client/v4" + forcePath(zoneOne) + " HTTP/1.1\r\nHost: " + address + "\r\nAuthorization: bEaReR " + testToken + "\r\n"
	for _, rest := range []string{
		"\r\n",
		"Content-Length: 0\r\nContent-Type: application/json\r\n\r\n",
		"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"Content-Type: application/json; charset=utf-8\r\nContent-Length: 4\r\n\r\nnull",
		"Content-Length: 2\r\nContent-Type: application/json\r\n\r\n{}",
		"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
	} {
		if got := raw(t, address, head+rest); got.status != 200 || string(got.env.Result) != `"OK"` {
			t.Errorf("%q: %s", rest, got.body)
		}
	}
}

func TestChunkedBodyTooLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.MaxBody = 100 })
	address := w.run(t)
	got := raw(t, address, "POST "+peersPath+" HTTP/1.1\r\nHost: "+address+"\r\nAuthorization: Bearer "+testToken+
		"\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n"+strings.Repeat(" ", 255)+"\r\n0\r\n\r\n")
	if got.status != 413 || got.faults() != "2003" {
		t.Error(got.body)
	}
}

func TestSlowBodyIsGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.ReadTimeout = time.Second })
	address := w.run(t)
	got := raw(t, address, "POST "+peersPath+" HTTP/1.1\r\nHost: "+address+"\r\nAuthorization: Bearer "+testToken+
		"\r\nContent-Length: 20\r\n\r\n{\"name\"")
	if got.status != 408 || got.faults() != "2004" {
		t.Error(got.body)
	}
}

func TestAuthentication(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.Tokens = NewTokens("", "first", testToken) })
	for _, test := range []struct {
		name    string
		headers []string
		good    bool
	}{
		{"none", nil, false},
		{"bearer", []string{"Authorization", "Bearer first"}, true},
		{"second token, odd case", []string{"Authorization", "bEARER  " + testToken}, true},
		{"wrong", []string{"Authorization", "Bearer firs"}, false},
		{"longer", []string{"Authorization", "Bearer first1"}, false},
		{"empty", []string{"Authorization", "Bearer "}, false},
		{"no token", []string{"Authorization", "Bearer"}, false},
		{"other scheme", []string{"Authorization", "Basic first"}, false},
		{"key and e-mail", []string{"X-Auth-Email", "a@b.example", "X-Auth-Key", "first"}, true},
		{"key first", []string{"X-Auth-Key", "first", "X-Auth-Email", "a@b.example"}, true},
		{"key alone", []string{"X-Auth-Key", "first"}, false},
		{"e-mail alone", []string{"X-Auth-Email", "first"}, false},
		{"wrong key", []string{"X-Auth-Email", "a@b.example", "X-Auth-Key", "x"}, false},
		{"wrong bearer, right key", []string{"Authorization", "Bearer x", "X-Auth-Email", "e", "X-Auth-Key", "first"}, true},
	} {
		for _, path := range []string{peersPath, "/client/v4" + peersPath, "/nowhere"} {
			r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
			for i := 0; i < len(test.headers); i += 2 {
				r.Header.Set(test.headers[i], test.headers[i+1])
			}
			got := w.do(t, r)
			if test.good == (got.status == 401) || !test.good && (got.faults() != "10000" || got.header.Get("WWW-Authenticate") != "Bearer") {
				t.Errorf("%s at %s: %s", test.name, path, got.body)
			}
		}
	}
	w.Tokens.Replace("new")
	if got := w.send(t, "GET", peersPath, ""); got.status != 401 {
		t.Error("a replaced token is still good")
	}
	w.Tokens.Replace("")
	r := w.request(t, "GET", peersPath, "")
	r.Header.Set("Authorization", "Bearer ")
	if got := w.do(t, r); got.status != 401 {
		t.Error("the empty token is good")
	}
}

func TestOpenPaths(t *testing.T) {
	t.Parallel()
	ready := false
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "metric 1\n") })
	w := newWorld(t, func(o *Options) { o.Metrics, o.Ready = metrics, func() bool { return ready } })
	get := func(path string) (int, string) {
		recorder := httptest.NewRecorder()
		w.http.Handler.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
		return recorder.Code, recorder.Body.String()
	}
	if status, body := get("/readyz"); status != 503 || body != `{"status":"starting"}`+"\n" {
		t.Error(status, body)
	}
	ready = true
	for path, want := range map[string]string{
		"/healthz": `{"status":"ok"}`, "/readyz": `{"status":"ready"}`, "/metrics": "metric 1",
		"/docs/errors": "10000  401", "/openapi.yaml": "openapi: 3.1",
	} {
		if status, body := get(path); status != 200 || !strings.Contains(body, want) {
			t.Error(path, status, body)
		}
	}
	w = newWorld(t, func(o *Options) { o.Metrics, o.MetricsNeedToken = metrics, true })
	if status, _ := get("/metrics"); status != 401 {
		t.Error("metrics are open")
	}
}

func TestDocumentationURL(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for host, want := range map[string]string{
		"api.example:8080": "http://api.example:8080/docs/errors#7000", "[::1]:80": "http://[::1]:80/docs/errors#7000",
		`evil"><script>`: "", "a b": "", "user@host": "", "": "",
	} {
		r := w.request(t, "GET", "/nowhere", "")
		r.Host = host
		r.Header.Set("X-Forwarded-Proto", "gopher")
		recorder := httptest.NewRecorder()
		w.http.Handler.ServeHTTP(recorder, r)
		if got := recorder.Body.String(); strings.Contains(got, "documentation_url") != (want != "") || !strings.Contains(got, want) {
			t.Errorf("%q: %s", host, got)
		}
	}
}

func TestPanicIsContained(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.ErrorLevel)
	w := newWorld(t, func(o *Options) {
		o.Log = zap.New(core)
		o.Metrics = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })
	})
	if got := w.send(t, "GET", "/metrics", ""); got.status != 500 || got.faults() != "2401" || strings.Contains(got.body, "boom") {
		t.Error(got.body)
	}
	if logs.FilterField(zap.String("panic", "boom")).Len() != 1 {
		t.Errorf("log %v", logs.All())
	}
}

// Each request is one line, and no line holds a secret, whatever happens.
func TestLog(t *testing.T) {
	t.Parallel()
	const secret = "VmVyeVNlY3JldFZhbHVl"
	core, logs := observer.New(zap.DebugLevel)
	w := newWorld(t, func(o *Options) { o.Log = zap.New(core) })
	w.must(t, "POST", tsigsPath, `{"name":"k","algo":"hmac-sha1","secret":"`+secret+`"}`)
	w.send(t, "POST", tsigsPath, `{"name":"k","algo":"x","secret":"`+secret+`"}`)
	peer := w.must(t, "POST", peersPath, `{"name":"p"}`)
	w.must(t, "POST", incomingPath(zoneOne), `{"name":"Example.ORG","peers":["`+peer+`"]}`)
	w.must(t, "DELETE", incomingPath(zoneOne), "")
	w.must(t, "GET", tsigsPath, "")
	w.send(t, "POST", peersPath, `{"name":"p","tls":{"name":"a","client_certificate":"`+secret+`","client_key":"`+secret+`"}}`)
	w.send(t, "GET", "/zones/"+secret+"%20/x", "")
	var lines []string
	for _, entry := range logs.All() {
		text := fmt.Sprint(entry.Message, entry.ContextMap())
		if strings.Contains(text, secret) || strings.Contains(text, testToken) {
			t.Errorf("a secret in %s", text)
		}
		m := entry.ContextMap()
		lines = append(lines, fmt.Sprint(entry.Level, " ", m["method"], " ", m["status"], " ", m["zone"]))
	}
	want := "info POST 200 <nil>; debug POST 400 <nil>; info POST 200 <nil>; info POST 200 example.org.; info DELETE 200 example.org.; debug GET 200 <nil>; debug POST 400 <nil>; debug GET 404 <nil>"
	if got := strings.Join(lines, "; "); got != want {
		t.Errorf(" got %s\nwant %s", got, want)
	}
}

func TestFailedAuthenticationIsLoggedSparsely(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zapcore.WarnLevel)
	w := newWorld(t, func(o *Options) { o.Log = zap.New(core) })
	for range 200 {
		r := w.request(t, "GET", peersPath, "")
		r.Header.Set("Authorization", "Bearer a-wrong-token")
		w.do(t, r)
	}
	if n := logs.Len(); n < 1 || n > 20 {
		t.Errorf("%d lines", n)
	}
	if text := fmt.Sprint(logs.All()); strings.Contains(text, "a-wrong-token") {
		t.Error("the token is logged")
	}
}

func TestPortTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	options := w.Options
	options.Listen = w.Addr().String()
	if _, err := New(options); err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Error(err)
	}
}

func TestRunDrains(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}), make(chan struct{})
	w := newWorld(t, func(o *Options) {
		o.Metrics = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			close(entered)
			<-leave
		})
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	answered := make(chan int, 1)
	go func() {
		transport := &http.Transport{}
		defer transport.CloseIdleConnections()
		response, err := (&http.Client{Transport: transport}).Get("http://" + w.Addr().String() + "/metrics")
		if err != nil {
			answered <- 0
			return
		}
		_ = response.Body.Close()
		answered <- response.StatusCode
	}()
	<-entered
	cancel()
	close(leave)
	if status := <-answered; status != 200 {
		t.Errorf("status %d", status)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, certFile, keyFile, 1)
	certificate, err := NewTLS(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, func(o *Options) { o.TLS = certificate })
	address := w.run(t)
	serial := func() int64 {
		conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // the serial is looked at
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	if got := serial(); got != 1 {
		t.Errorf("serial %d", got)
	}
	writeCertificate(t, certFile, keyFile, 2)
	if err := w.ReloadTLS(); err != nil || serial() != 2 {
		t.Errorf("after the reload: %v", err)
	}
	if err := os.WriteFile(certFile, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := w.ReloadTLS(); err == nil || serial() != 2 {
		t.Errorf("after a failed reload: %v", err)
	}
	if _, err := NewTLS(certFile, keyFile); err == nil {
		t.Error("an empty certificate is taken")
	}
}

func writeCertificate(t *testing.T, certFile, keyFile string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "api"}, NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: certificate}, keyFile: {Type: "PRIVATE KEY", Bytes: encoded}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
