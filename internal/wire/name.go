package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Name is an absolute domain name in uncompressed wire form: length-prefixed
// labels ending in the root's zero octet. Case is kept as it was received;
// comparisons fold ASCII case (RFC 4343).
type Name []byte

// Root is the name of the root zone. Callers must not change it.
var Root = Name{0}

// lower maps A-Z to a-z and every other octet to itself. Length octets are at
// most 63 and so below 'A': a whole wire name can be folded octet by octet.
var lower = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
		if 'A' <= i && i <= 'Z' {
			t[i] += 'a' - 'A'
		}
	}
	return t
}()

// Lower returns c in lower case if it is an ASCII letter.
func Lower(c byte) byte { return lower[c] }

// AppendFolded appends b to dst with ASCII letters in lower case.
func AppendFolded(dst, b []byte) []byte {
	n := len(dst)
	dst = append(dst, b...)
	fold(dst[n:])
	return dst
}

// fold puts b in lower case, eight octets at a time: the last eight overlap those
// before, which does not matter.
func fold(b []byte) {
	if len(b) < 8 {
		for i, c := range b {
			b[i] = lower[c]
		}
		return
	}
	for i := 0; i < len(b)-8; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], lowerWord(binary.LittleEndian.Uint64(b[i:])))
	}
	last := b[len(b)-8:]
	binary.LittleEndian.PutUint64(last, lowerWord(binary.LittleEndian.Uint64(last)))
}

// lowerWord is lower of eight octets. To add 128-'A' to an octet below 128 sets its
// highest bit if it is 'A' or above.
func lowerWord(w uint64) uint64 {
	const each, high = 0x0101010101010101, 0x8080808080808080
	low := w &^ high
	fromA, behindZ := low+each*(128-'A'), low+each*(127-'Z')
	letters := (fromA &^ behindZ) &^ w & high
	return w | letters>>2 // 'a' - 'A' is 128 >> 2
}

// Fold returns a lower-case copy of n.
func (n Name) Fold() Name { return AppendFolded(make([]byte, 0, len(n)), n) }

// IsFolded reports whether n is in lower case.
func (n Name) IsFolded() bool {
	for _, c := range n {
		if lower[c] != c {
			return false
		}
	}
	return true
}

// Equal reports whether a and b are the same name without regard to case.
func (n Name) Equal(b Name) bool {
	if len(n) != len(b) {
		return false
	}
	if bytes.Equal(n, b) { // as nearly all that are equal
		return true
	}
	for i, c := range n {
		if lower[c] != lower[b[i]] {
			return false
		}
	}
	return true
}

// Labels counts the labels of n, the root not counted.
func (n Name) Labels() int {
	count := 0
	for i := 0; i < len(n) && n[i] != 0; i += int(n[i]) + 1 {
		count++
	}
	return count
}

// Parent returns n without its first label; the root's parent is the root.
// The result shares n's memory.
func (n Name) Parent() Name {
	if len(n) < 2 {
		return n
	}
	return n[int(n[0])+1:]
}

// IsWildcard reports whether the first label of n is "*" (RFC 4592 section 2.1.1).
func (n Name) IsWildcard() bool { return len(n) > 2 && n[0] == 1 && n[1] == '*' }

// In reports whether n is apex or lies below it, comparing whole labels:
// xexample.org is not in example.org.
func (n Name) In(apex Name) bool {
	skip := len(n) - len(apex)
	for i := 0; i < skip; i += int(n[i]) + 1 {
		if n[i] == 0 {
			return false
		}
		if i+int(n[i])+1 == skip {
			return n[skip:].Equal(apex)
		}
	}
	return skip == 0 && n.Equal(apex)
}

// LabelStarts writes the offset of each label of n into at and returns how many.
func (n Name) LabelStarts(at *[MaxLabels]uint8) int {
	count := 0
	for i := 0; i < len(n) && n[i] != 0 && count < MaxLabels; i += int(n[i]) + 1 {
		at[count] = uint8(i)
		count++
	}
	return count
}

// Compare orders names canonically (RFC 4034 section 6.1): label by label from
// the root, each as a string of lower-case octets, a shorter one first.
func (n Name) Compare(b Name) int {
	order, _ := n.Meet(b)
	return order
}

// Meet compares names as Compare does and counts the labels of the deepest name
// that is both at or above n and at or above b.
func (n Name) Meet(b Name) (order, labels int) {
	if order, labels, ok := n.meetParent(b); ok {
		return order, labels
	}
	return n.meet(b)
}

// meetParent is meet for a name whose parent is at or above b, in the same case;
// ok is false for others. In a zone in canonical order most names and those before
// them are so.
func (n Name) meetParent(b Name) (order, labels int, ok bool) {
	parent := n.Parent()
	below := Name(nil) // of b and those above it the one just below the parent
	for len(b) > len(parent) {
		below, b = b, b.Parent()
	}
	if !bytes.Equal(b, parent) {
		return 0, 0, false
	}
	if below == nil {
		return 1, parent.Labels(), len(n) > 1
	}
	order = compareLabels(n, below)
	return order, parent.Labels(), order != 0
}

func (n Name) meet(b Name) (order, labels int) {
	var na, nb [MaxLabels]uint8
	ca, cb := n.LabelStarts(&na), b.LabelStarts(&nb)
	for ; labels < min(ca, cb); labels++ {
		if c := compareLabels(n[na[ca-labels-1]:], b[nb[cb-labels-1]:]); c != 0 {
			return c, labels
		}
	}
	return ca - cb, labels
}

// compareLabels compares the first labels of a and b.
func compareLabels(a, b []byte) int {
	la, lb := int(a[0]), int(b[0])
	for i := 1; i <= min(la, lb); i++ {
		if ca, cb := lower[a[i]], lower[b[i]]; ca != cb {
			return int(ca) - int(cb)
		}
	}
	return la - lb
}

// String gives the presentation form with a final dot. Octets that are not
// printable, and those with a meaning of their own, are escaped (RFC 1035
// section 5.1), so the result is safe in a log line.
func (n Name) String() string {
	if len(n) <= 1 {
		return "."
	}
	text := make([]byte, 0, len(n)+8)
	for i := 0; i < len(n) && n[i] != 0; {
		end := i + 1 + int(n[i])
		for _, c := range n[i+1 : end] {
			text = appendEscaped(text, c)
		}
		text = append(text, '.')
		i = end
	}
	return string(text)
}

func appendEscaped(text []byte, c byte) []byte {
	switch {
	case bytes.IndexByte([]byte(`."\;()@$`), c) >= 0:
		return append(text, '\\', c)
	case c <= ' ' || c > '~':
		return append(text, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
	default:
		return append(text, c)
	}
}

// ParseName reads a name in presentation form, with or without the final dot.
func ParseName(text string) (Name, error) {
	if text == "." {
		return Name{0}, nil
	}
	if text == "" {
		return nil, errors.New("empty name")
	}
	if len(text) > 4*MaxName { // no octet takes more than the four of \DDD
		return nil, fmt.Errorf("name %.40q...: %w", text, ErrNameLong)
	}
	name := make(Name, 1, len(text)+2)
	start := 0 // of the label being read, where its length octet goes
	for i := 0; i < len(text); {
		if text[i] == '.' {
			if err := endLabel(name, start); err != nil {
				return nil, fmt.Errorf("name %q: %w", text, err)
			}
			i++
			if i == len(text) {
				break
			}
			start = len(name)
			name = append(name, 0)
			continue
		}
		c, size, err := readOctet(text[i:])
		if err != nil {
			return nil, fmt.Errorf("name %q: %w", text, err)
		}
		name = append(name, c)
		i += size
	}
	if err := endLabel(name, start); err != nil {
		return nil, fmt.Errorf("name %q: %w", text, err)
	}
	name = append(name, 0)
	if len(name) > MaxName {
		return nil, fmt.Errorf("name %.40q...: %w", text, ErrNameLong)
	}
	return name, nil
}

// endLabel sets the length octet of the label that began at start.
func endLabel(name Name, start int) error {
	size := len(name) - start - 1
	if size == 0 {
		return errors.New("empty label")
	}
	if size > MaxLabel {
		return errors.New("label longer than 63 octets")
	}
	name[start] = byte(size)
	return nil
}

// readOctet reads one octet of a label: plain, \X or \DDD.
func readOctet(text string) (c byte, size int, err error) {
	if text[0] != '\\' {
		return text[0], 1, nil
	}
	if len(text) < 2 {
		return 0, 0, errors.New("backslash at the end")
	}
	if text[1] < '0' || text[1] > '9' {
		return text[1], 2, nil
	}
	if len(text) < 4 {
		return 0, 0, errors.New(`\DDD wants three digits`)
	}
	value := 0
	for _, d := range []byte(text[1:4]) {
		if d < '0' || d > '9' {
			return 0, 0, errors.New(`\DDD wants three digits`)
		}
		value = value*10 + int(d-'0')
	}
	if value > 255 {
		return 0, 0, errors.New(`\DDD above 255`)
	}
	return byte(value), 4, nil
}

// AppendName appends the name at msg[off:] to dst, with pointers followed, and
// returns where the name ended in msg. A pointer must point to before the
// label sequence it ends, so following them always terminates; and there may be
// no more of them than labels, so that a message of pointers to pointers does
// not cost more than one of names.
func AppendName(dst, msg []byte, off int) (_ []byte, next int, err error) {
	start, limit, pointers := len(dst), off, 0
	for {
		end, err := labelsEnd(msg, off)
		if err != nil {
			return dst, 0, err
		}
		c := int(msg[end])
		if c == 0 {
			end++
		}
		if len(dst)-start+end-off > MaxName {
			return dst, 0, ErrNameLong
		}
		dst = append(dst, msg[off:end]...)
		if c == 0 {
			if pointers == 0 {
				next = end
			}
			return dst, next, nil
		}
		if c&pointerBits != pointerBits {
			return dst, 0, ErrLabel
		}
		if end+2 > len(msg) {
			return dst, 0, ErrShort
		}
		if pointers == 0 {
			next = end + 2
		}
		target := (c&^pointerBits)<<8 | int(msg[end+1])
		if pointers++; target >= limit || pointers > MaxLabels {
			return dst, 0, ErrPointer
		}
		off, limit = target, target
	}
}

// labelsEnd returns where the labels in a row at msg[off:] end: at the root's zero
// octet, a pointer, or what is neither.
func labelsEnd(msg []byte, off int) (int, error) {
	for most := off + MaxName; ; {
		if off >= len(msg) {
			return 0, ErrShort
		}
		c := int(msg[off])
		if c == 0 || c&pointerBits != 0 {
			return off, nil
		}
		if off += 1 + c; off > most {
			return 0, ErrNameLong
		}
	}
}

// SkipName returns where the name at msg[off:] ends, without following pointers.
func SkipName(msg []byte, off int) (next int, err error) {
	for {
		if off >= len(msg) {
			return 0, ErrShort
		}
		c := int(msg[off])
		switch c & pointerBits {
		case 0:
			off += 1 + c
			if c == 0 {
				return off, nil
			}
		case pointerBits:
			if off+2 > len(msg) {
				return 0, ErrShort
			}
			return off + 2, nil
		default:
			return 0, ErrLabel
		}
	}
}
