package primary

import (
	"slices"

	"github.com/miekg/dns"
)

// Differences answers an IXFR with those differences that change makes of the
// honest ones, between the SOA of the newest version first and last. The slices
// are the script's own, the records in them are not. Other requests, and those
// of clients whose version is not known, are answered honestly.
func Differences(change func([]Difference) []Difference) Script {
	return func(e *Exchange) error {
		ours, _ := e.clientSerial()
		c := e.server.content(e.Question().Name)
		if e.Question().Qtype != dns.TypeIXFR || e.conn == nil || c == nil || c.steps(ours) == nil {
			return Honest(e)
		}
		var steps []Difference
		for _, d := range c.steps(ours) {
			d.Deleted, d.Added = slices.Clone(d.Deleted), slices.Clone(d.Added)
			steps = append(steps, d)
		}
		for _, m := range e.Messages(c.chain(change(steps)), batchOctets) {
			if err := e.Send(m); err != nil {
				return err
			}
		}
		return nil
	}
}
