package conformance

import (
	"fmt"
	"strings"
)

// shape is the content of a zone.
type shape struct{ name, text string }

// shapes are zones that hurt, each served unsigned and in every way of signing.
var shapes = []shape{
	{"tree", enclosers + wildcards + cuts},
	{"alias", aliases + longChains() + renames},
	{"apex-wild", "* A 192.0.2.1\n* TXT \"any\"\nhost A 192.0.2.2\nx.ent A 192.0.2.3\ncut NS ns.cut\nns.cut A 192.0.2.4\n"},
	{"apex-dname", "@ DNAME target.apex-wild.test.\n@ A 192.0.2.1\n@ MX 10 mail.example.net.\n"},
	{"self-dname", "@ A 192.0.2.1\nhost A 192.0.2.2\nback DNAME @\nx.apex CNAME y.back\n"},
	{"below-dname", belowDNAME},
	{"octets", octets},
	{"apex-types", apexTypes},
}

// enclosers have empty non-terminals of every kind.
const enclosers = `
@ A 192.0.2.1
host A 192.0.2.2
leaf.empty.non.terminal A 192.0.2.3
b.leaf.empty.non.terminal TXT "below a leaf"
cut.by.delegation NS ns.example.net.
by.glue NS ns.x.y.by.glue
ns.x.y.by.glue A 192.0.2.4
mx MX 10 host
mx MX 20 mail.cut.by.delegation
srv SRV 1 2 3 host
srv SRV 1 2 3 ns.x.y.by.glue
svc HTTPS 1 . alpn=h2
svc A 192.0.2.5
svc AAAA 2001:db8::5
`

// wildcards begin with the zone of RFC 4592 section 2.2.1.
const wildcards = `
*.rfc TXT "this is a wildcard"
*.rfc MX 10 host1.rfc
sub.*.rfc TXT "this is not a wildcard"
host1.rfc A 192.0.2.1
_ssh._tcp.host1.rfc SRV 0 0 22 host1.rfc
_ssh._tcp.host2.rfc SRV 0 0 22 host1.rfc
subdel.rfc NS ns.example.com.
subdel.rfc NS ns.example.net.
*.wild A 192.0.2.10
*.wild AAAA 2001:db8::10
x.ent.wild A 192.0.2.11
*.*.wild TXT "a star below a star"
*.a.*.wild TXT "a star below a name below a star"
q.empty-star.*.nothing A 192.0.2.12
*.alias CNAME host
*.alias-gone CNAME nothing.here
*.alias-out CNAME www.example.net.
*.alias-self CNAME x.alias-self
*.alias-on CNAME y.alias
*.alias-cut CNAME www.ns.cut
*.mx MX 10 x.wild
to-wild CNAME q.wild
to-wild-alias CNAME q.alias
`

// cuts are delegations of every kind, with what they hide.
var cuts = `
ns.cut NS ns1.ns.cut
ns.cut NS ns2.ns.cut
ns1.ns.cut A 192.0.2.20
ns1.ns.cut AAAA 2001:db8::20
ns2.ns.cut A 192.0.2.21
secure NS ns.secure
secure DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000
secure DS 2 13 2 0000000000000000000000000000000000000000000000000000000000000000
ns.secure A 192.0.2.22
hidden.secure TXT "hidden"
*.secure TXT "hidden star"
deep.hidden.secure NS ns.deep.hidden.secure
ns.deep.hidden.secure A 192.0.2.23
alias.secure CNAME host
dname.secure DNAME host
sibling NS ns.secure
sibling NS ns1.ns.cut
outside NS ns.example.net.
self NS self
self A 192.0.2.24
to-host NS host
to-wild-ns NS ns.wild
to-ent NS ent
x.ent A 192.0.2.25
to-cut CNAME www.secure
to-cut-itself CNAME secure
hiding NS ns.deeper.hiding
deeper.hiding NS ns.deeper.hiding
ns.deeper.hiding A 192.0.2.26
` + manyServers()

// manyServers is a delegation whose glue does not fit into any UDP answer, and
// one that just does.
func manyServers() string {
	var b strings.Builder
	for i := range 13 {
		fmt.Fprintf(&b, "thirteen NS n%d.thirteen\nn%d.thirteen A 192.0.2.%d\nn%d.thirteen AAAA 2001:db8::%d\n", i, i, i, i, i)
	}
	for i := range 40 {
		fmt.Fprintf(&b, "forty NS a-rather-long-name-%d.forty\na-rather-long-name-%d.forty A 192.0.2.%d\na-rather-long-name-%d.forty AAAA 2001:db8::%d\n", i, i, i, i, i)
	}
	return b.String()
}

// aliases are CNAME records that lead everywhere.
const aliases = `
host A 192.0.2.30
host AAAA 2001:db8::30
one CNAME host
two CNAME one
three CNAME two
four CNAME three
gone CNAME nothing
gone2 CNAME gone
nodata CNAME txt
txt TXT "no address"
to-ent CNAME ent
x.ent A 192.0.2.31
out CNAME www.example.net.
out2 CNAME out
loop CNAME loop
loop-a CNAME loop-b
loop-b CNAME loop-a
into-loop CNAME loop-a
cut NS ns.cut
ns.cut A 192.0.2.32
to-cut CNAME x.cut
to-cut-ds CNAME cut
to-apex CNAME @
to-glue CNAME ns.cut
to-dname CNAME x.dn
to-dname-itself CNAME dn
mixed CNAME HOST
`

func longChains() string {
	var b strings.Builder
	for _, n := range []int{6, 11, 16, 18} {
		for i := range n - 1 {
			fmt.Fprintf(&b, "c%d-%d CNAME c%d-%d\n", n, i, n, i+1)
		}
		fmt.Fprintf(&b, "c%d-%d CNAME host\n", n, n-1)
	}
	return b.String()
}

// renames are DNAME records of every kind, with what they hide.
var renames = `
dn DNAME tree
dn TXT "beside a DNAME"
a.tree A 192.0.2.40
b.tree CNAME a.tree
x.b2.tree A 192.0.2.41
*.star.tree A 192.0.2.42
dn2 DNAME dn
dn3 DNAME sub.dn2
sub.tree TXT "a target that exists"
a.sub.tree A 192.0.2.44
dn-out DNAME example.net.
dn-root DNAME .
dn-cut DNAME cut
dn-gone DNAME not.there
dn-loop DNAME dn-loop
dn-a DNAME dn-b
dn-b DNAME dn-a
dn-below DNAME x.dn-below
dn-ent DNAME ent
too-long DNAME ` + strings.Repeat(strings.Repeat("l", 60)+".", 3) + `
to-too-long CNAME ` + strings.Repeat("m", 60) + "." + strings.Repeat("m", 20) + `.too-long
`

// belowDNAME has names that a DNAME hides; there must be none (RFC 6672 section
// 2.4), but who transfers a zone has not written it.
const belowDNAME = `
tree TXT "the target"
a.tree A 192.0.2.45
dn DNAME tree
a.dn A 192.0.2.46
hidden.dn A 192.0.2.47
x.y.dn TXT "hidden"
mx MX 1 hidden.dn
to-hidden CNAME hidden.dn
`

// octets are labels of octets that are hard to write.
const octets = `
nul\000 A 192.0.2.1
\000 A 192.0.2.2
\000.nul A 192.0.2.3
a\000b.nul A 192.0.2.4
\255 A 192.0.2.5
\255.\255 A 192.0.2.6
dot\.ted A 192.0.2.7
ted A 192.0.2.8
\. A 192.0.2.9
back\\slash A 192.0.2.10
star\* A 192.0.2.11
\*\* A 192.0.2.12
\*.escaped A 192.0.2.13
\065bc A 192.0.2.14
_x A 192.0.2.15
\091 A 192.0.2.16
\064 A 192.0.2.17
\127 A 192.0.2.18
\ space A 192.0.2.19
\195\132 A 192.0.2.20
\195\164 A 192.0.2.21
*.\000.wild A 192.0.2.22
*.\255.wild A 192.0.2.23
to-nul CNAME nul\000
\000cut NS ns.\000cut
ns.\000cut A 192.0.2.24
dn\000 DNAME \255
`

// apexTypes are many types at the apex, and some that no server knows.
const apexTypes = `
@ A 192.0.2.50
@ AAAA 2001:db8::50
@ MX 10 mail
@ TXT "v=spf1 -all"
@ TXT ""
@ CAA 0 issue "ca.example.net"
@ HTTPS 1 . alpn=h2,h3
@ SVCB 1 mail port=53
@ SRV 1 2 3 mail
@ NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:info@example.net!" .
@ LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000.00m 10.00m
@ TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
@ SSHFP 4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789
@ HINFO "PC" "OS"
@ RP who txt
@ TYPE65534 \# 4 0a000001
@ CDS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000
@ CSYNC 1 3 A NS AAAA
@ URI 10 1 "https://example.net/"
mail A 192.0.2.51
empty TYPE65534 \# 0
empty TYPE65533 \# 0
odd TYPE65534 \# 0
odd TYPE65534 \# 1 00
odd TYPE65534 \# 3 c00c00
odd TYPE1000 \# 2 c00c
`

const wildcardNS = `
*.ds DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000
*.cut NS ns.example.net.
*.cut A 192.0.2.1
*.deep.cut TXT "below"
x.*.cut A 192.0.2.2
`

// soaTTLs has an SOA TTL below its MINIMUM.
const soaTTLs = `
$ORIGIN soa.test.
@ 60 SOA ns host 1 7200 600 86400 3600
@ 30 NS ns
ns 0 A 192.0.2.1
max 2147483647 A 192.0.2.2
x.ent A 192.0.2.3
`

const family = `
host A 192.0.2.60
child NS ns.child
child NS ns.example.net.
child DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000
ns.child A 192.0.2.61
insecure NS ns.child
x.ent A 192.0.2.62
to-child CNAME host.child
to-child-apex CNAME child
to-stray CNAME host.stray.ent
dn DNAME child
mx MX 10 host.child
`

const root = `
child NS ns.child
ns.child A 192.0.2.70
com NS a.servers
net NS a.servers
net DS 1 13 2 0000000000000000000000000000000000000000000000000000000000000000
a.servers A 192.0.2.71
arpa NS a.servers
text TXT "a name of one label"
alias CNAME text
dn DNAME .
*.star A 192.0.2.72
x.y.z A 192.0.2.73
`

// longNames have the most labels and the most octets.
func longNames() string {
	const apex = len("long.test.") + 1
	var b strings.Builder
	fmt.Fprintf(&b, "%sx A 192.0.2.1\n", strings.Repeat("a.", (255-apex)/2-1)) // 127 labels at most
	label := strings.Repeat("b", 63)
	rest := 255 - apex - 3*64 - 1
	fmt.Fprintf(&b, "%s.%s.%s.%s A 192.0.2.2\n", strings.Repeat("c", rest), label, label, label)
	fmt.Fprintf(&b, "%s.%s.%s.%s TXT \"one octet shorter\"\n", strings.Repeat("d", rest-1), label, label, label)
	fmt.Fprintf(&b, "*.%s.%s A 192.0.2.3\n", label, label)
	fmt.Fprintf(&b, "to CNAME %s.%s.%s.%s\n", strings.Repeat("c", rest), label, label, label)
	fmt.Fprintf(&b, "cut NS %s.%s.%s.cut\n%s.%s.%s.cut A 192.0.2.4\n", label, label, label, label, label, label)
	return b.String()
}

// bigSets do not fit into an answer by UDP, or only just.
func bigSets() string {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "thousand A 10.0.%d.%d\n", i/256, i%256)
	}
	for _, n := range []int{25, 26, 27, 28, 29, 30, 70, 71, 72, 73, 74, 75} { // about 512 and 1232 octets
		for i := range n {
			fmt.Fprintf(&b, "a%d A 192.0.2.%d\n", n, i)
		}
	}
	for i := range 60 {
		fmt.Fprintf(&b, "txt TXT \"%d\" %q\n", i, strings.Repeat("t", 255))
	}
	for i := range 50 {
		fmt.Fprintf(&b, "mx MX %d mail-%d\nmail-%d A 192.0.2.%d\nmail-%d AAAA 2001:db8::%d\n", i, i, i, i, i, i)
	}
	b.WriteString("to-thousand CNAME thousand\nto-mx CNAME mx\n")
	return b.String()
}
