package hostile

import (
	"cmp"
	"slices"
	"testing"

	"github.com/miekg/dns"

	"secondaryd/internal/primary"
	"secondaryd/test/harness"
)

// differing answers an IXFR with a chain of differences that change spoils. It
// leads from 1, which is served, over 2 and 3 to 4.
func differing(change func(zone string, steps []primary.Difference) []primary.Difference) func(string) primary.Script {
	return func(zone string) primary.Script {
		return primary.Differences(func(steps []primary.Difference) []primary.Difference { return change(zone, steps) })
	}
}

// deleting has the first difference delete more.
func deleting(format string) func(string) primary.Script {
	return differing(func(zone string, steps []primary.Difference) []primary.Difference {
		steps[0].Deleted = append(steps[0].Deleted, record(format, zone))
		return steps
	})
}

// adding has the first difference add more.
func adding(format string) func(string) primary.Script {
	return differing(func(zone string, steps []primary.Difference) []primary.Difference {
		steps[0].Added = append(steps[0].Added, record(format, zone))
		return steps
	})
}

// soa is a copy of old as change makes it.
func soa(old *dns.SOA, change func(*dns.SOA)) *dns.SOA {
	s := dns.Copy(old).(*dns.SOA)
	change(s)
	return s
}

func onIXFR(s primary.Script) func(string) primary.Script { return always(primary.On(dns.TypeIXFR, s)) }

// misfits are differences that do not fit the version served or do not lead to
// the newest. The whole zone is asked for then, and is right.
var misfits = []class{
	{name: "deletes an absent name", script: deleting("planted.%s 60 A 192.0.2.66"), ixfr: misfit},
	{name: "deletes an absent record", script: deleting("www.%s 60 A 192.0.2.66"), ixfr: misfit},
	{name: "deletes an absent type", script: deleting("www.%s 60 MX 1 planted."), ixfr: misfit},
	{name: "adds a record that is there", script: adding("www.%s 60 A 192.0.2.80"), ixfr: misfit},
	{name: "adds a name outside", script: adding("planted.%[1]sexample. 60 A 192.0.2.66"), ixfr: foreign},
	{name: "adds a SOA of another owner", script: adding("planted.%s 60 SOA . . 9 1 1 1 1"), ixfr: foreign},
	{name: "deletes a SOA of another owner", script: deleting("www.%s 60 SOA . . 9 1 1 1 1"), ixfr: misfit},
	{name: "adds to a class that is not ours", script: adding("planted.%s 60 CH A 192.0.2.66"), ixfr: foreign},
	{name: "deletes the NS of the apex", script: deleting("%s 60 NS ns1.%[1]s"), ixfr: noNS},
	{name: "deletes another SOA than ours", script: differing(func(_ string, steps []primary.Difference) []primary.Difference {
		steps[0].From = soa(steps[0].From, func(s *dns.SOA) { s.Mbox = "." })
		return steps
	}), ixfr: misfit},
	{name: "deletes the SOA and adds none", script: differing(func(_ string, steps []primary.Difference) []primary.Difference {
		steps[versions-1].To = nil
		return steps
	}), ixfr: stalled},
	{name: "adds another SOA than announced", script: differing(func(_ string, steps []primary.Difference) []primary.Difference {
		steps[versions-1].To = soa(steps[versions-1].To, func(s *dns.SOA) { s.Expire = 1 })
		return steps
	}), ixfr: structure},
	{name: "starts elsewhere", script: differing(func(_ string, steps []primary.Difference) []primary.Difference { return steps[1:] }), ixfr: wrongChain},
	{name: "has a gap", script: differing(func(_ string, steps []primary.Difference) []primary.Difference { return slices.Delete(steps, 1, 2) }), ixfr: wrongChain},
	{name: "ends early", script: differing(func(_ string, steps []primary.Difference) []primary.Difference { return steps[:versions-1] }), ixfr: wrongChain},
	{name: "goes on behind the newest", script: differing(func(_ string, steps []primary.Difference) []primary.Difference {
		newest := steps[versions-1].To
		return append(steps, primary.Difference{From: newest, To: soa(newest, func(s *dns.SOA) { s.Serial++ })})
	}), ixfr: structure},
	{name: "goes backwards", script: reaching(0), ixfr: wrongChain},
	{name: "goes nowhere", script: reaching(2), ixfr: wrongChain},
	{name: "goes half the range", script: reaching(2 + 1<<31), ixfr: wrongChain},
	{name: "the same difference twice", script: differing(func(_ string, steps []primary.Difference) []primary.Difference {
		return slices.Insert(steps, 1, steps[0])
	}), ixfr: wrongChain},
}

// reaching has the second difference lead from 2 to this serial, and the third
// begin there.
func reaching(serial uint32) func(string) primary.Script {
	return differing(func(_ string, steps []primary.Difference) []primary.Difference {
		steps[1].To = soa(steps[1].To, func(s *dns.SOA) { s.Serial = serial })
		steps[2].From = steps[1].To
		return steps
	})
}

// noDifferences are answers to an IXFR that are none.
var noDifferences = []class{
	{name: "SERVFAIL", script: onIXFR(primary.Rcode(dns.RcodeServerFailure)), ixfr: servFail},
	{name: "REFUSED", script: onIXFR(primary.Rcode(dns.RcodeRefused)), ixfr: refused},
	{name: "FORMERR", script: onIXFR(primary.Rcode(dns.RcodeFormatError)), ixfr: formErr},
	{name: "NOTIMP", script: onIXFR(primary.Rcode(dns.RcodeNotImplemented)), ixfr: notImp},
	{name: "NOTAUTH", script: onIXFR(primary.Rcode(dns.RcodeNotAuth)), ixfr: notAuth},
	{name: "closed at once", script: onIXFR(primary.CutAfter(0)), ixfr: closed},
	{name: "cut", script: onIXFR(primary.CutAfter(5)), ixfr: cut},
	{name: "silence", script: onIXFR(primary.Silence), ixfr: noAnswer},
	{name: "silence in the middle", script: onIXFR(primary.StallAfter(5)), ixfr: stalled},
	{name: "another zone", script: onIXFR(primary.WrongZone("other.test.")), ixfr: wrongZone},
	{name: "another ID", script: onIXFR(primary.WrongID()), ixfr: notAnswer},
	{name: "octets behind the message", script: onIXFR(primary.Trailing(0)), ixfr: malformed},
	{name: "no message but octets", script: onIXFR(func(e *primary.Exchange) error {
		return cmp.Or(e.Raw([]byte{0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9}), e.Cut())
	}), ixfr: malformed},
	{name: "without end", script: onIXFR(primary.Endless(8<<20, plantedAddress)), ixfr: overLimit},
	{name: "a whole zone cut", script: onIXFR(primary.With(func(r []dns.RR) []dns.RR { return []dns.RR{r[0], record("%s 60 NS .", r[0].Header().Name)} })), ixfr: stalled},
}

// twice are primaries that do wrong with the whole zone too.
var twice = []class{
	{name: "misfit, then cut", script: both(deleting("planted.%s 60 A 192.0.2.66"), primary.CutAfter(3)), ixfr: misfit, step: "AXFR", cause: cut},
	{name: "gap, then no last SOA", script: both(reaching(0), primary.StallAfter(3)), ixfr: wrongChain, step: "AXFR", cause: stalled},
	{name: "SERVFAIL, then an older one", script: both(always(primary.Rcode(dns.RcodeServerFailure)), primary.WithSerial(1)), ixfr: servFail, step: "check", cause: older},
	{name: "REFUSED twice", script: both(always(primary.Rcode(dns.RcodeRefused)), primary.Rcode(dns.RcodeRefused)), ixfr: refused, step: "AXFR", cause: refused},
}

// both plays one script for IXFR and another for AXFR.
func both(ixfr func(string) primary.Script, axfr primary.Script) func(string) primary.Script {
	return func(zone string) primary.Script {
		differences := ixfr(zone)
		return func(e *primary.Exchange) error {
			switch e.Question().Qtype {
			case dns.TypeIXFR:
				return differences(e)
			case dns.TypeAXFR:
				return axfr(e)
			default:
				return primary.Honest(e)
			}
		}
	}
}

// TestIXFR has primaries send differences that won't do.
func TestIXFR(t *testing.T) {
	t.Parallel()
	d := harness.StartDaemon(t, harness.DaemonOptions{Config: quick})
	before := d.PeakMemory(t)
	play(t, d, false, slices.Concat(misfits, noDifferences, twice))
	if grown := d.PeakMemory(t) - before; grown > small {
		t.Errorf("needed %d MiB more, for zones of a few records", grown>>20)
	}
}
