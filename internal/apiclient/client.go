// Package apiclient speaks the API of a running secondaryd for commands and
// tests: the envelope, the errors, the paging of zones, and objects found by
// their names. It promises that a token is sent to the one server it is meant
// for and stands in no error, and that an answer is bounded. It decides nothing
// about what to ask, and prints nothing. A Client is safe for concurrent use.
package apiclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// requestTimeout is for one request and its answer: the server takes up to a
	// minute for a rollback or a comparison.
	requestTimeout = 90 * time.Second
	// maxAnswer is the length in octets up to which an answer is read.
	maxAnswer = 256 << 20
	// maxIdle is the number of connections that are kept for many requests at once.
	maxIdle = 16
	// limitTries is how often a request is sent that meets a limit of the server.
	limitTries = 5
	// maxLimitWait is the longest wait between two of them.
	maxLimitWait = 5 * time.Second
)

// Client asks one server.
type Client struct {
	base  string // without a slash at the end
	token string
	http  http.Client
}

// Options say which server is asked, and as whom.
type Options struct {
	URL   string // http or https; a path is where the resources stand
	Token string
	// RootCAs certify the server in place of those of the system; nil: those.
	RootCAs *x509.CertPool
}

// New checks the options and connects to nothing yet.
func New(o Options) (*Client, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("the URL of the API is not of the form http://HOST:PORT or https://HOST:PORT")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("the URL of the API has a user, a query or a fragment: the token does not belong there")
	}
	if strings.ContainsFunc(o.Token, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return nil, errors.New("the token has a space, or a character that no token has")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = maxIdle
	transport.TLSClientConfig = &tls.Config{RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12}
	return &Client{
		base:  strings.TrimRight(u.String(), "/"),
		token: o.Token,
		http: http.Client{
			Transport: transport,
			Timeout:   requestTimeout,
			// The API has no redirects: whatever sends one shall not get the token.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Close ends the connections that are kept for the next request.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Answer is what came back from a request that was carried out.
type Answer struct {
	Result json.RawMessage
	Info   *ResultInfo // of a list in pages, else nil
	ETag   string      // empty without one
}

// ResultInfo tells which part of a list an answer is.
type ResultInfo struct {
	Page       int `json:"page"`
	TotalPages int `json:"total_pages"`
}

// Get reads what is at the path.
func (c *Client) Get(ctx context.Context, path string) (Answer, error) {
	return c.do(ctx, request{method: http.MethodGet, path: path})
}

// Post sends a body, nil for none.
func (c *Client) Post(ctx context.Context, path string, body any) (Answer, error) {
	return c.do(ctx, request{method: http.MethodPost, path: path, body: body})
}

// Delete removes what is at the path.
func (c *Client) Delete(ctx context.Context, path string) (Answer, error) {
	return c.do(ctx, request{method: http.MethodDelete, path: path})
}

// Object is a resource with its members as they came, those included that this
// program does not know.
type Object map[string]json.RawMessage

// Set gives a member a value.
func (o Object) Set(member string, value any) error {
	text, err := json.Marshal(value)
	o[member] = text
	return err
}

// changeTries is how often a change is made anew when another came between.
const changeTries = 4

// Change replaces the resource at the path by what change makes of it: members
// that it leaves alone stay as they are. change may be called again when somebody
// else changed the resource meanwhile.
func (c *Client) Change(ctx context.Context, path string, change func(Object) error) (Answer, error) {
	for try := 1; ; try++ {
		before, err := c.Get(ctx, path)
		if err != nil {
			return Answer{}, err
		}
		object := Object{}
		if err := json.Unmarshal(before.Result, &object); err != nil {
			return Answer{}, fmt.Errorf("GET %s: %w", path, err)
		}
		if err := change(object); err != nil {
			return Answer{}, err
		}
		after, err := c.do(ctx, request{method: http.MethodPut, path: path, body: object, ifMatch: before.ETag})
		if e, ok := errors.AsType[*Error](err); !ok || e.Status != http.StatusPreconditionFailed || try == changeTries {
			return after, err
		}
	}
}

type request struct {
	method, path string
	body         any    // nil: none
	ifMatch      string // empty: whatever is there
}

// do sends a request, again if it may be sent later.
func (c *Client) do(ctx context.Context, r request) (Answer, error) {
	return again(ctx, func() (Answer, error) { return c.once(ctx, r) })
}

// again repeats what may be sent later: nothing was done then.
func again(ctx context.Context, once func() (Answer, error)) (Answer, error) {
	for try := 1; ; try++ {
		answer, err := once()
		e, ok := errors.AsType[*Error](err)
		if !ok || !e.notNow() || try == limitTries {
			return answer, err
		}
		select {
		case <-ctx.Done():
			return Answer{}, ctx.Err()
		case <-time.After(min(e.retryAfter, maxLimitWait)):
		}
	}
}

func (c *Client) once(ctx context.Context, r request) (Answer, error) {
	req, err := c.prepare(ctx, r)
	if err != nil {
		return Answer{}, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return Answer{}, c.unreached(err)
	}
	defer func() { _ = resp.Body.Close() }() // nothing was written
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return Answer{}, c.unreached(err)
	}
	if len(text) > maxAnswer {
		return Answer{}, fmt.Errorf("%s %s: the answer is longer than %d octets", r.method, r.path, maxAnswer)
	}
	return r.read(resp, text)
}

// Download writes what is at the path, which has no envelope, to w as it comes,
// however long that takes. An error may come after a part of it.
func (c *Client) Download(ctx context.Context, path string, w io.Writer) error {
	r := request{method: http.MethodGet, path: path}
	req, err := c.prepare(ctx, r)
	if err != nil {
		return err
	}
	patient := c.http
	patient.Timeout = 0
	resp, err := patient.Do(req)
	if err != nil {
		return c.unreached(err)
	}
	defer func() { _ = resp.Body.Close() }() // nothing was written
	if resp.StatusCode != http.StatusOK {
		text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		if err != nil {
			return c.unreached(err)
		}
		_, err = r.read(resp, text)
		return err
	}
	if _, err := io.Copy(w, resp.Body); err != nil {
		return fmt.Errorf("GET %s: cut off before its end: %w", path, err)
	}
	return nil
}

func (c *Client) prepare(ctx context.Context, r request) (*http.Request, error) {
	var body io.Reader
	if r.body != nil {
		text, err := json.Marshal(r.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, c.base+r.path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.ifMatch != "" {
		req.Header.Set("If-Match", r.ifMatch)
	}
	return req, nil
}

// read takes an answer apart.
func (r request) read(resp *http.Response, text []byte) (Answer, error) {
	var envelope struct {
		Success *bool           `json:"success"`
		Result  json.RawMessage `json:"result"`
		Errors  []Fault         `json:"errors"`
		Info    *ResultInfo     `json:"result_info"`
	}
	if err := json.Unmarshal(text, &envelope); err != nil || envelope.Success == nil {
		return Answer{}, fmt.Errorf("%s %s: status %d, and not in the form of this API: does the URL lead to secondaryd?",
			r.method, r.path, resp.StatusCode)
	}
	if !*envelope.Success || resp.StatusCode != http.StatusOK {
		return Answer{}, &Error{Method: r.method, Path: r.path, Status: resp.StatusCode, Faults: envelope.Errors, retryAfter: retryAfter(resp)}
	}
	return Answer{Result: envelope.Result, Info: envelope.Info, ETag: resp.Header.Get("ETag")}, nil
}

// retryAfter is how long the server wants the client to wait, a second if it
// does not say.
func retryAfter(resp *http.Response) time.Duration {
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return time.Second
	}
	return time.Duration(seconds) * time.Second
}

// unreached says what an operator can do about a server that does not answer.
func (c *Client) unreached(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // without the method and the whole URL
	}
	return fmt.Errorf("no answer from the API at %s: %w", c.base, err)
}
