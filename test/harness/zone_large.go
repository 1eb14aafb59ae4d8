package harness

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// ZoneLarge is the text of a zone of exactly n records (at least 3), always the
// same for the same n: hosts, mail, services, aliases, wildcards, empty
// non-terminals, and one name in twenty a delegation with glue.
func ZoneLarge(name string, serial uint32, n int) string {
	g := &generator{random: rand.New(rand.NewPCG(1, 2))}
	fmt.Fprintf(&g.text, "$ORIGIN %s.\n$TTL 3600\n", strings.TrimSuffix(name, "."))
	g.add("@ SOA ns1 hostmaster %d 7200 600 86400 300", serial)
	g.add("@ NS ns1")
	g.add("ns1 A 192.0.2.1")
	for i := 0; g.records < n; i++ {
		if room := n - g.records; room < biggestStep {
			g.add("last%d TXT \"%d to go\"", i, room)
			continue
		}
		g.step(i)
	}
	return g.text.String()
}

// biggestStep is how many records one step makes at most.
const biggestStep = 6

type generator struct {
	random  *rand.Rand
	text    strings.Builder
	records int
}

func (g *generator) add(format string, args ...any) {
	fmt.Fprintf(&g.text, format+"\n", args...)
	g.records++
}

func (g *generator) ip4() string {
	return fmt.Sprintf("10.%d.%d.%d", g.random.IntN(256), g.random.IntN(256), g.random.IntN(256))
}

func (g *generator) ip6() string {
	return fmt.Sprintf("2001:db8:%x::%x", g.random.IntN(65536), g.random.IntN(65535)+1)
}

func (g *generator) ttl() int { return 60 * (1 + g.random.IntN(100)) }

// step makes the records of name i. The hosts that others point at are the
// multiples of 20.
func (g *generator) step(i int) {
	host := func() int { return 20 * g.random.IntN(i/20+1) }
	switch i % 20 {
	case 1, 2:
		g.add("mail%d MX 10 h%d", i, host())
		g.add("mail%d MX 20 mx.example.net.", i)
		g.add("mail%d %d TXT \"v=spf1 ip4:%s -all\" \"%d\"", i, g.ttl(), g.ip4(), g.random.Uint64())
	case 3:
		g.add("cut%d NS ns1.cut%d", i, i)
		g.add("cut%d NS ns2.cut%d", i, i)
		g.add("ns1.cut%d A %s", i, g.ip4())
		g.add("ns1.cut%d AAAA %s", i, g.ip6())
		g.add("ns2.cut%d A %s", i, g.ip4())
	case 4, 5:
		g.add("alias%d CNAME h%d", i, host())
	case 6:
		g.add("_sip._tcp.s%d SRV 10 %d 5060 h%d", i, g.random.IntN(100), host())
		g.add("_sip._tcp.s%d SRV 20 %d 5060 h%d", i, g.random.IntN(100), host())
	case 7:
		g.add("*.wild%d A %s", i, g.ip4())
		g.add("x.y.wild%d A %s", i, g.ip4())
	case 8:
		g.add("a.b.c.deep%d TXT \"%x\"", i, g.random.Uint64())
	case 9:
		g.add("H%d.UPPER CAA 0 issue \"ca%d.example.net\"", i, g.random.IntN(10))
	case 10:
		g.add("d%d DS %d 13 2 %064x", i, g.random.IntN(65536), g.random.Uint64())
		g.add("d%d NS ns.example.net.", i)
	case 11:
		g.add("u%d TYPE65280 \\# 4 %08x", i, g.random.Uint32())
	default:
		for range 1 + g.random.IntN(3) {
			g.add("h%d A %s", i, g.ip4())
		}
		g.add("h%d %d AAAA %s", i, g.ttl(), g.ip6())
	}
}
