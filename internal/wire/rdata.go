package wire

import "bytes"

// A form describes the RDATA of a type as a sequence of parts, as far as the
// daemon must look into it: where names lie that a primary may have compressed
// (RFC 3597 section 4) and how long the whole must be at least. A type without
// a form is opaque.
type form struct {
	head    int  // fixed octets before the first name
	strings int  // character-strings after head
	names   int  // domain names after that
	tail    int  // fixed octets after the names; -1: any number
	text    bool // one or more character-strings to the end, and nothing else
	pack    bool // its names are compressed in answers (RFC 1035 types only)
}

// forms is indexed by type; types above its end have no form.
var forms = [...]*form{
	TypeA:     {tail: 4},
	TypeNS:    {names: 1, pack: true},
	TypeMD:    {names: 1, pack: true},
	TypeMF:    {names: 1, pack: true},
	TypeCNAME: {names: 1, pack: true},
	TypeSOA:   {names: 2, tail: 20, pack: true},
	TypeMB:    {names: 1, pack: true},
	TypeMG:    {names: 1, pack: true},
	TypeMR:    {names: 1, pack: true},
	TypePTR:   {names: 1, pack: true},
	TypeMINFO: {names: 2, pack: true},
	TypeMX:    {head: 2, names: 1, pack: true},
	TypeTXT:   {text: true},
	TypeRP:    {names: 2},
	TypeAFSDB: {head: 2, names: 1},
	TypeRT:    {head: 2, names: 1},
	TypeSIG:   {head: 18, names: 1, tail: -1},
	TypePX:    {head: 2, names: 2},
	TypeAAAA:  {tail: 16},
	TypeNXT:   {names: 1, tail: -1},
	TypeSRV:   {head: 6, names: 1},
	TypeNAPTR: {head: 4, strings: 3, names: 1},
	TypeKX:    {head: 2, names: 1},
	TypeDNAME: {names: 1},
	TypeDS:    {head: 4, tail: -1},
	TypeRRSIG: {head: 18, names: 1, tail: -1},
	TypeNSEC:  {names: 1, tail: -1},
	TypeNSEC3: {head: 5, tail: -1},
	TypeNSEC3PARAM: {
		head: 5, tail: -1,
	},
}

func formOf(t uint16) *form {
	if int(t) < len(forms) {
		return forms[t]
	}
	return nil
}

// Compressible returns how the RDATA of type t is laid out if the names in it
// may be compressed in an answer: fixed octets, then names, then the rest.
func Compressible(t uint16) (head, names int, ok bool) {
	f := formOf(t)
	if f == nil || !f.pack {
		return 0, 0, false
	}
	return f.head, f.names, true
}

// AppendRdata appends the RDATA of type t at msg[off:off+size] to dst with
// every compressed name written out, and checks its form. The octets of types
// that the daemon does not know are copied as they are.
func AppendRdata(dst, msg []byte, off, size int, t uint16) ([]byte, error) {
	end := off + size
	if off < 0 || size < 0 || end > len(msg) {
		return dst, ErrShort
	}
	f := formOf(t)
	if f == nil {
		return append(dst, msg[off:end]...), nil
	}
	if f.text {
		if !isText(msg[off:end]) {
			return dst, ErrRdata
		}
		return append(dst, msg[off:end]...), nil
	}
	start := len(dst)
	head, err := f.beforeNames(msg[off:end])
	if err != nil {
		return dst, err
	}
	dst = append(dst, msg[off:off+head]...)
	off += head
	for range f.names {
		// A name must end inside the RDATA, though it may point outside.
		if dst, off, err = AppendName(dst, msg[:end], off); err != nil {
			return dst, err
		}
	}
	if f.tail >= 0 && end-off != f.tail {
		return dst, ErrRdata
	}
	dst = append(dst, msg[off:end]...)
	if len(dst)-start > MaxMessage {
		return dst, ErrRdataLong
	}
	return dst, nil
}

// beforeNames returns how many octets of rdata come before its first name.
func (f *form) beforeNames(rdata []byte) (int, error) {
	off := f.head
	for range f.strings {
		if off >= len(rdata) {
			return 0, ErrRdata
		}
		off += 1 + int(rdata[off])
	}
	if off > len(rdata) {
		return 0, ErrRdata
	}
	return off, nil
}

// isText reports whether rdata is one or more whole character-strings.
func isText(rdata []byte) bool {
	off := 0
	for off < len(rdata) {
		off += 1 + int(rdata[off])
	}
	return off == len(rdata) && off > 0
}

// namesIn returns where the names in rdata, which has the form of type t and no
// pointers, begin and end; both are 0 for types without names.
func namesIn(t uint16, rdata []byte) (start, end int) {
	f := formOf(t)
	if f == nil || f.names == 0 {
		return 0, 0
	}
	start, err := f.beforeNames(rdata)
	if err != nil {
		return 0, 0
	}
	end = start
	for range f.names {
		next, err := SkipName(rdata, end)
		if err != nil || next > len(rdata) {
			return 0, 0
		}
		end = next
	}
	return start, end
}

// CheckRdata reports whether rdata, without pointers, has the form of type t.
func CheckRdata(t uint16, rdata []byte) error {
	f := formOf(t)
	if f == nil {
		return nil
	}
	if f.text {
		if !isText(rdata) {
			return ErrRdata
		}
		return nil
	}
	off, err := f.beforeNames(rdata)
	if err != nil {
		return err
	}
	for range f.names {
		if off, err = skipPlainName(rdata, off); err != nil {
			return err
		}
	}
	if f.tail >= 0 && len(rdata)-off != f.tail {
		return ErrRdata
	}
	return nil
}

// skipPlainName returns where the uncompressed name at b[off:] ends.
func skipPlainName(b []byte, off int) (int, error) {
	for start := off; off < len(b); {
		c := int(b[off])
		if c > MaxLabel {
			return 0, ErrLabel
		}
		off += 1 + c
		if off-start > MaxName {
			return 0, ErrNameLong
		}
		if c == 0 {
			return off, nil
		}
	}
	return 0, ErrShort
}

// AppendCanonical appends rdata, which has the form of type t and no pointers, to
// dst in canonical form: names in lower case in the types of RFC 4034 section
// 6.2, as RFC 6840 section 5.1 changed them: not in NSEC, but in RRSIG. Of those
// types A6 alone is left as it is, since the daemon does not know its form.
func AppendCanonical(dst []byte, t uint16, rdata []byte) []byte {
	if t == TypeNSEC {
		return append(dst, rdata...)
	}
	start, end := namesIn(t, rdata)
	dst = append(dst, rdata[:start]...)
	dst = AppendFolded(dst, rdata[start:end])
	return append(dst, rdata[end:]...)
}

// CompareRdata orders two RDATA of type t as RFC 4034 section 6.3 does: as
// strings of octets, with the names in types that the daemon knows in lower case
// save that of NSEC (RFC 6840 section 5.1). Zero means that two records are
// duplicates.
func CompareRdata(t uint16, a, b []byte) int {
	if t == TypeNSEC {
		return bytes.Compare(a, b)
	}
	as, ae := namesIn(t, a)
	bs, be := namesIn(t, b)
	if ae == 0 || be == 0 {
		return bytes.Compare(a, b)
	}
	if c := bytes.Compare(a[:as], b[:bs]); c != 0 {
		return c
	}
	if c := compareFolded(a[as:ae], b[bs:be]); c != 0 {
		return c
	}
	return bytes.Compare(a[ae:], b[be:])
}

func compareFolded(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if ca, cb := lower[a[i]], lower[b[i]]; ca != cb {
			return int(ca) - int(cb)
		}
	}
	return len(a) - len(b)
}
