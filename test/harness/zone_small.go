package harness

import (
	"fmt"
	"strings"
)

// ZoneSmall is the text of a zone that has every common record type and every
// kind of name that servers are known to treat differently, as far as NSD, Knot
// and BIND all load it without complaint.
func ZoneSmall(name string, serial uint32) string {
	long := strings.Repeat("x", 255)
	var b strings.Builder
	fmt.Fprintf(&b, smallHead, strings.TrimSuffix(name, ".")+".", serial)
	b.WriteString(smallTypes)
	b.WriteString(smallNames)
	b.WriteString(smallCuts)
	fmt.Fprintf(&b, "full-txt 300 TXT %q\n", long)
	for i := range 8 { // bigger than any answer by UDP
		fmt.Fprintf(&b, "big-txt 300 TXT \"%d\" %q\n", i, long)
	}
	for i := range 100 {
		fmt.Fprintf(&b, "hundred 120 A 203.0.113.%d\n", i)
	}
	return b.String()
}

const smallHead = `$ORIGIN %s
$TTL 3600
@ 1800 SOA ns1 host\.master %d 7200 600 86400 300
@ 7200 NS ns1
@ 7200 NS NS2
@ 7200 NS ns.example.net.
@ A 192.0.2.80
@ AAAA 2001:db8::80
@ MX 10 mail
@ MX 20 mail.example.net.
@ TXT "v=spf1 -all"
@ CAA 0 issue "ca.example.net"
@ CAA 128 iodef "mailto:security@example.net"
@ HTTPS 1 . alpn=h2,h3 ipv4hint=192.0.2.80
ns1 A 192.0.2.1
ns1 AAAA 2001:db8::1
NS2 A 192.0.2.2
mail A 192.0.2.25
`

const smallTypes = `
www 60 A 192.0.2.10
www 60 A 192.0.2.11
www 600 AAAA 2001:db8::10
www 5 TXT "ttls differ between the types of a name"
ttl-zero 0 A 192.0.2.12
ttl-max 2147483647 A 192.0.2.13
txt TXT "several" "strings" "" "with \"quotes\", \\ and ; and \000\001\200\255"
txt-empty TXT ""
_sip._tcp SRV 10 60 5060 sip
_sip._tcp SRV 20 0 5060 sip.example.net.
_gone._udp SRV 0 0 0 .
sip A 192.0.2.50
10.ptr PTR www
naptr NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:info@example.net!" .
naptr NAPTR 100 20 "s" "SIP+D2U" "" _sip._tcp
sshfp SSHFP 4 2 123456789abcdef67890123456789abcdef67890123456789abcdef123456789
_443._tcp.www TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
svcb SVCB 1 svc.example.net. port=8443 alpn=dot ipv6hint=2001:db8::53 key667="hello"
svcb SVCB 2 www mandatory=port port=53
alias-form HTTPS 0 www
loc LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000.00m 10.00m
hinfo HINFO "Generic PC clone" "NetBSD-1.4"
rp RP admin\.istrator txt
cert CERT 1 12345 8 AAECAwQFBgcICQoLDA0ODw==
uri URI 10 1 "https://www.example.net/path?x=1&y=2"
afsdb AFSDB 1 www
kx KX 10 www
apl APL 1:192.0.2.0/24 !1:192.0.2.64/28 2:2001:db8::/32
dhcid DHCID AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA=
eui48 EUI48 00-00-5e-00-53-2a
eui64 EUI64 00-00-5e-ef-10-00-00-2a
openpgpkey OPENPGPKEY AAECAwQFBgcICQoLDA0ODw==
smimea SMIMEA 3 0 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
nid NID 10 0014:4fff:ff20:ee64
l32 L32 10 10.1.2.0
l64 L64 10 2001:0db8:1140:1000
lp LP 10 l64
ipseckey IPSECKEY 10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ==
unknown TYPE65280 \# 4 0a000001
unknown TYPE65280 \# 5 0102030405
unknown-empty TYPE65281 \# 0
dname 900 DNAME target
a.target A 192.0.2.60
b.target CNAME www
dname-out DNAME example.net.
`

const smallNames = `
UPPER.Case A 192.0.2.30
mixed MX 10 Mail.ExAmPlE.NeT.
dot\.ted A 192.0.2.31
nul\000byte A 192.0.2.32
hi\255byte A 192.0.2.33
sp\032ace A 192.0.2.34
semi\;colon A 192.0.2.35
quo\"te A 192.0.2.36
back\\slash A 192.0.2.37
\065scii A 192.0.2.38
at\@at A 192.0.2.39
target-escaped CNAME dot\.ted
_under_score A 192.0.2.40
123456789012345678901234567890123456789012345678901234567890123 A 192.0.2.41
1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.21.22.23.24.25.26.27.28.29.30.deep A 192.0.2.42
leaf.empty.non.terminal A 192.0.2.43
chain CNAME chain2
chain2 120 CNAME chain3
chain3 CNAME www
chain-out CNAME www.example.net.
chain-gone CNAME nothing.here
chain-nodata CNAME hinfo
chain-wild CNAME any.wild
chain-cut CNAME host.cut
chain-dname CNAME a.dname
*.wild A 192.0.2.70
*.wild TXT "wild"
exact.wild AAAA 2001:db8::70
below.ent.wild A 192.0.2.71
*.star.wild A 192.0.2.72
*.wild-alias CNAME www
*.wild-mx MX 10 mail
under.*.inner A 192.0.2.73
`

// The cuts: glue in the domain, glue of a sibling, no glue, DS, names that a cut
// hides, more glue than one datagram holds.
const smallCuts = `
cut 1200 NS ns1.cut
cut 1200 NS ns2.cut
cut 1200 DS 12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
ns1.cut 1200 A 192.0.2.90
ns1.cut 600 AAAA 2001:db8::90
ns2.cut 1200 A 192.0.2.91
hidden.cut A 192.0.2.92
deep.hidden.cut TXT "hidden by the cut"
sibling NS ns1.cut
sibling NS ns.sibling
ns.sibling A 192.0.2.93
outside NS ns.example.net.
outside NS ns.example.org.
self NS self
self A 192.0.2.94
cut.ent NS ns.cut.ent
ns.cut.ent A 192.0.2.95
insecure NS www
`
