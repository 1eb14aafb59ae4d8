package conformance

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"secondaryd/test/harness"
)

const (
	udpTimeout = time.Second
	tcpTimeout = 5 * time.Second
	tries      = 5
)

// asker puts questions to one server.
type asker struct {
	*harness.Asker
	id uint16
}

func newAsker(addr netip.AddrPort) (*asker, error) {
	a, err := harness.NewAsker(addr)
	return &asker{Asker: a}, err
}

// ask returns the answer as it came, valid until the next call. A lost packet
// or a connection that the server has closed is no failure.
func (a *asker) ask(q *question) (msg []byte, err error) {
	err = errors.New("no try")
	for range tries {
		a.id++
		query := q.pack(a.id)
		if q.form.tcp {
			msg, err = a.TCP(query, tcpTimeout)
		} else {
			msg, err = a.UDP(query, udpTimeout)
		}
		if err == nil {
			return msg, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", a.Addr(), err)
}
