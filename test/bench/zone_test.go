package bench

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
)

// serial is that of the zones as they are generated; the primary counts up.
const serial = 1

// writeLarge writes the master file of a zone of n delegations, always the same
// for the same n and serial, as a registry's look: two name servers each, a third with DS,
// 15 % with their glue in the zone. It returns how many records it wrote.
func writeLarge(out io.Writer, n int, serial uint32) (records int, err error) {
	w := bufio.NewWriterSize(out, 1<<20)
	add := func(format string, args ...any) {
		fmt.Fprintf(w, format+"\n", args...) // Flush reports what went wrong
		records++
	}
	fmt.Fprintln(w, "$TTL 86400")
	add("@ SOA ns1.nic hostmaster.nic %d 7200 600 2419200 300", serial)
	for i := range 2 {
		add("@ NS ns%d.nic", i+1)
		add("ns%d.nic A 192.0.2.%d", i+1, i+1)
	}
	random := rand.New(rand.NewPCG(3, 4))
	for i := range n {
		name := label(random, i)
		inZone := random.IntN(100) < 15
		for server := range 2 {
			if inZone {
				add("%s NS ns%d.%s", name, server+1, name)
				continue
			}
			add("%s NS ns%d.hoster%d.example.", name, server+1, random.IntN(2000))
		}
		if inZone {
			add("ns1.%s A 10.%d.%d.1", name, random.IntN(256), random.IntN(256))
			add("ns2.%s A 10.%d.%d.2", name, random.IntN(256), random.IntN(256))
		}
		if inZone && random.IntN(3) == 0 {
			add("ns1.%s AAAA 2001:db8:%x::1", name, random.IntN(65536))
		}
		if random.IntN(3) == 0 {
			add("%s 3600 DS %d 13 2 %016x%016x%016x%016x", name, random.IntN(65536),
				random.Uint64(), random.Uint64(), random.Uint64(), random.Uint64())
		}
	}
	return records, w.Flush()
}

// label is a name of 5 to 20 characters that no other i gets.
func label(random *rand.Rand, i int) string {
	b := make([]byte, 3+random.IntN(12))
	for k := range b {
		b[k] = 'a' + byte(random.IntN(26))
	}
	return fmt.Sprintf("%s-%x", b, i)
}

// small is the master file of each small zone; its names are relative to the
// zone's.
const small = `$TTL 3600
@ SOA ns1 hostmaster 1 86400 7200 2419200 300
@ NS ns1
@ NS ns2
ns1 A 192.0.2.1
ns2 A 192.0.2.2
ns2 AAAA 2001:db8::2
@ MX 10 mail
mail A 192.0.2.25
@ A 192.0.2.80
@ AAAA 2001:db8::80
@ TXT "v=spf1 mx -all"
www CNAME @
`

// smallRecords is how many records that is.
const smallRecords = 12

func smallNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("zone-%05d.example.", i)
	}
	return names
}
