package api

import (
	"bytes"
	"encoding/hex"
	"io"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// zoneText writes a zone in the form of a zone file (RFC 1035 section 5): a
// record a line, with absolute names, no directives, the SOA record first and
// the names in canonical order.
type zoneText struct {
	to   io.Writer
	line []byte
	wire [dns.MaxMsgSize]byte // a record that was read back
}

func writeZone(to io.Writer, z *zone.Zone) error {
	w := &zoneText{to: to}
	for n := range z.Ordered() {
		if err := w.node(n); err != nil {
			return err
		}
	}
	return nil
}

// node writes the records of a name by ascending type, each set followed by its
// signatures.
func (w *zoneText) node(n zone.Node) error {
	owner := n.Name().String()
	if soa, ok := n.Set(wire.TypeSOA); ok {
		if err := w.set(owner, soa); err != nil {
			return err
		}
	}
	for set := range n.Sets() {
		if set.Type == wire.TypeSOA {
			continue
		}
		if err := w.set(owner, set); err != nil {
			return err
		}
	}
	return nil
}

func (w *zoneText) set(owner string, set zone.RRset) error {
	for rdata := range set.Records() {
		if err := w.record(owner, set.Type, set.TTL, rdata); err != nil {
			return err
		}
	}
	for ttl, rdata := range set.Sigs() {
		if err := w.record(owner, wire.TypeRRSIG, ttl, rdata); err != nil {
			return err
		}
	}
	return nil
}

func (w *zoneText) record(owner string, t uint16, ttl uint32, rdata []byte) error {
	b := append(w.line[:0], owner...)
	b = append(b, '\t')
	b = strconv.AppendUint(b, uint64(ttl), 10)
	b = append(b, "\tIN\t"...)
	b = append(b, typeText(t)...)
	b = append(b, '\t')
	b = append(b, w.dataText(t, rdata)...)
	w.line = append(b, '\n')
	_, err := w.to.Write(w.line)
	return err
}

// dataText is RDATA in the form of its type if that says it all, else in the one
// that every type has.
func (w *zoneText) dataText(t uint16, rdata []byte) string {
	if text, ok := w.rdataText(t, rdata); ok {
		return text
	}
	return string(appendGeneric(nil, rdata))
}

// written are the types with a mnemonic and a text of their own that other name
// servers read. All others have the general form, which every one reads.
var written = map[uint16]bool{
	dns.TypeA: true, dns.TypeNS: true, dns.TypeCNAME: true, dns.TypeSOA: true, dns.TypePTR: true, dns.TypeHINFO: true, dns.TypeMINFO: true,
	dns.TypeMX: true, dns.TypeTXT: true, dns.TypeRP: true, dns.TypeAFSDB: true, dns.TypeX25: true, dns.TypeISDN: true, dns.TypeRT: true,
	dns.TypeSIG: true, dns.TypeKEY: true, dns.TypePX: true, dns.TypeAAAA: true, dns.TypeLOC: true, dns.TypeSRV: true, dns.TypeNAPTR: true,
	dns.TypeKX: true, dns.TypeCERT: true, dns.TypeDNAME: true, dns.TypeAPL: true, dns.TypeDS: true, dns.TypeSSHFP: true,
	dns.TypeIPSECKEY: true, dns.TypeRRSIG: true, dns.TypeNSEC: true, dns.TypeDNSKEY: true, dns.TypeDHCID: true, dns.TypeNSEC3: true,
	dns.TypeNSEC3PARAM: true, dns.TypeTLSA: true, dns.TypeSMIMEA: true, dns.TypeCDS: true, dns.TypeCDNSKEY: true,
	dns.TypeOPENPGPKEY: true, dns.TypeCSYNC: true, dns.TypeZONEMD: true, dns.TypeSVCB: true, dns.TypeHTTPS: true, dns.TypeSPF: true,
	dns.TypeNID: true, dns.TypeL32: true, dns.TypeL64: true, dns.TypeLP: true, dns.TypeEUI48: true, dns.TypeEUI64: true, dns.TypeURI: true,
	dns.TypeCAA: true,
}

// typeText is a type's mnemonic, or its number (RFC 3597 section 5).
func typeText(t uint16) string {
	if written[t] {
		return dns.TypeToString[t]
	}
	return "TYPE" + strconv.Itoa(int(t))
}

// appendGeneric writes RDATA in the form that every type has (RFC 3597 section 5).
func appendGeneric(b, rdata []byte) []byte {
	b = append(b, `\#`...)
	b = strconv.AppendInt(append(b, ' '), int64(len(rdata)), 10)
	if len(rdata) == 0 {
		return b
	}
	return hex.AppendEncode(append(b, ' '), rdata)
}

// faithful are the types whose RDATA was checked to its end when it came, and
// whose text says all that is in it. The text of the others is read back before
// it is believed: with short, empty or odd fields some mean something else.
var faithful = map[uint16]bool{
	dns.TypeA: true, dns.TypeAAAA: true, dns.TypeNS: true, dns.TypeCNAME: true, dns.TypeDNAME: true, dns.TypePTR: true, dns.TypeMX: true,
	dns.TypeSOA: true, dns.TypeSRV: true, dns.TypeTXT: true,
}

// rdataText gives RDATA in the form of its type; false if there is none that
// means the same octets.
func (w *zoneText) rdataText(t uint16, rdata []byte) (string, bool) {
	if !written[t] || len(rdata) == 0 {
		return "", false
	}
	header := dns.RR_Header{Name: ".", Rrtype: t, Class: dns.ClassINET, Rdlength: uint16(len(rdata))}
	rr, end, err := dns.UnpackRRWithHeader(header, rdata, 0)
	if err != nil || end != len(rdata) {
		return "", false
	}
	line := rr.String()
	text, ok := strings.CutPrefix(line, rr.Header().String())
	return text, ok && (faithful[t] || w.means(line, rdata))
}

// means reports whether a line is read as a record with that RDATA.
func (w *zoneText) means(line string, rdata []byte) bool {
	const start = 11 // behind the root's name, type, class, TTL and length
	rr, err := dns.NewRR(line)
	if err != nil || rr == nil {
		return false
	}
	end, err := dns.PackRR(rr, w.wire[:], 0, nil, false)
	return err == nil && end >= start && bytes.Equal(w.wire[start:end], rdata)
}
