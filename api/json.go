package api

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// kind is the JSON type of a value.
type kind uint8

// The JSON types.
const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindString
	kindList
	kindObject
)

func (k kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "a list", "an object"}[k]
}

// value is a JSON value. text is a string's content, a number as it was
// written, or "true" or "false".
type value struct {
	kind    kind
	text    string
	list    []value
	members map[string]value
}

// maxDepth is how deep objects and lists may be nested.
const maxDepth = 32

// What the values of a text may weigh together, so that a short text does not
// take much memory: any value weighs 1, of about 60 octets, and an object as much
// as the members that its map has room for.
const (
	maxWeight    = 20_000
	objectWeight = 10
)

// jsonParser reads one JSON text (RFC 8259), more strictly than encoding/json:
// it refuses invalid UTF-8, lone surrogates and repeated members instead of
// changing or choosing, and it knows where it is.
type jsonParser struct {
	data string
	at   int
	path []string // of the value being read
	left int      // of the weight
}

// parseJSON reads a text that holds exactly one value, which weighs so much at
// most.
func parseJSON(data []byte, weight int) (value, error) {
	p := &jsonParser{data: string(data), left: weight}
	if !utf8.ValidString(p.data) {
		return value{}, p.fail("the body is not valid UTF-8")
	}
	p.space()
	v, err := p.value()
	if err != nil {
		return value{}, err
	}
	if p.space(); p.at < len(p.data) {
		return value{}, p.fail("there is data after the end of the JSON text")
	}
	return v, nil
}

func (p *jsonParser) fail(format string, args ...any) error {
	return failure{{
		code:    codeNotJSON,
		message: fmt.Sprintf("octet %d: %s", p.at, fmt.Sprintf(format, args...)),
		pointer: pointer(p.path...),
	}}
}

func (p *jsonParser) space() {
	for p.at < len(p.data) && strings.IndexByte(" \t\r\n", p.data[p.at]) >= 0 {
		p.at++
	}
}

// peek is the next octet, 0 at the end.
func (p *jsonParser) peek() byte {
	if p.at < len(p.data) {
		return p.data[p.at]
	}
	return 0
}

// take skips an expected octet.
func (p *jsonParser) take(c byte) bool {
	if p.peek() != c {
		return false
	}
	p.at++
	return true
}

func (p *jsonParser) value() (value, error) {
	if len(p.path) > maxDepth {
		return value{}, p.fail("nested more than %d deep", maxDepth)
	}
	if p.left--; p.peek() == '{' {
		p.left -= objectWeight
	}
	if p.left < 0 {
		return value{}, p.fail("the body has more values than any request needs")
	}
	switch c := p.peek(); {
	case c == '{':
		return p.object()
	case c == '[':
		return p.array()
	case c == '"':
		text, err := p.str()
		return value{kind: kindString, text: text}, err
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	default:
		return p.word()
	}
}

func (p *jsonParser) word() (value, error) {
	for word, k := range map[string]kind{"null": kindNull, "true": kindBool, "false": kindBool} {
		if strings.HasPrefix(p.data[p.at:], word) {
			p.at += len(word)
			return value{kind: k, text: word}, nil
		}
	}
	if p.at == len(p.data) {
		return value{}, p.fail("the JSON text ends too early")
	}
	return value{}, p.fail("a JSON value does not begin like this")
}

func (p *jsonParser) object() (value, error) {
	v := value{kind: kindObject, members: make(map[string]value)}
	p.at++
	p.space()
	if p.take('}') {
		return v, nil
	}
	for {
		if p.peek() != '"' {
			return value{}, p.fail("a member's name in quotes belongs here")
		}
		name, err := p.str()
		if err != nil {
			return value{}, err
		}
		if err := p.member(v.members, name); err != nil {
			return value{}, err
		}
		if p.take('}') {
			return v, nil
		}
		if !p.take(',') {
			return value{}, p.fail("a comma or the end of the object belongs here")
		}
		p.space()
	}
}

// member reads what follows a member's name, and the space behind the value.
func (p *jsonParser) member(members map[string]value, name string) error {
	p.path = append(p.path, name)
	if _, repeated := members[name]; repeated {
		return failure{{codeRepeated, "the member is there twice", pointer(p.path...)}}
	}
	p.space()
	if !p.take(':') {
		return p.fail("a colon belongs here")
	}
	p.space()
	v, err := p.value()
	if err != nil {
		return err
	}
	members[name] = v
	p.path = p.path[:len(p.path)-1]
	p.space()
	return nil
}

func (p *jsonParser) array() (value, error) {
	v := value{kind: kindList}
	p.at++
	p.space()
	if p.take(']') {
		return v, nil
	}
	for {
		p.path = append(p.path, strconv.Itoa(len(v.list)))
		entry, err := p.value()
		if err != nil {
			return value{}, err
		}
		v.list = append(v.list, entry)
		p.path = p.path[:len(p.path)-1]
		p.space()
		if p.take(']') {
			return v, nil
		}
		if !p.take(',') {
			return value{}, p.fail("a comma or the end of the list belongs here")
		}
		p.space()
	}
}

// number checks the grammar and keeps the number as it is written.
func (p *jsonParser) number() (value, error) {
	start := p.at
	p.take('-')
	if !p.take('0') && p.digits() == 0 {
		return value{}, p.fail("a number has no digits")
	}
	if p.take('.') && p.digits() == 0 {
		return value{}, p.fail("a number has no digits after its point")
	}
	if p.take('e') || p.take('E') {
		if !p.take('+') {
			p.take('-')
		}
		if p.digits() == 0 {
			return value{}, p.fail("a number has no digits in its exponent")
		}
	}
	return value{kind: kindNumber, text: p.data[start:p.at]}, nil
}

func (p *jsonParser) digits() (n int) {
	for c := p.peek(); '0' <= c && c <= '9'; c = p.peek() {
		p.at++
		n++
	}
	return n
}

func (p *jsonParser) str() (string, error) {
	p.at++
	var text strings.Builder
	for {
		end := strings.IndexAny(p.data[p.at:], "\"\\")
		if end < 0 {
			p.at = len(p.data)
			return "", p.fail("a string has no end")
		}
		plain := p.data[p.at : p.at+end]
		if i := strings.IndexFunc(plain, func(c rune) bool { return c < ' ' }); i >= 0 {
			p.at += i
			return "", p.fail("a control character in a string has to be escaped")
		}
		text.WriteString(plain)
		p.at += end + 1
		if p.data[p.at-1] == '"' {
			return text.String(), nil
		}
		c, err := p.escape()
		if err != nil {
			return "", err
		}
		text.WriteRune(c)
	}
}

// escape reads what follows a backslash.
func (p *jsonParser) escape() (rune, error) {
	const names, meanings = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	c := p.peek()
	if i := strings.IndexByte(names, c); i >= 0 && c != 0 {
		p.at++
		return rune(meanings[i]), nil
	}
	first, ok := p.unit()
	if !ok {
		return 0, p.fail("an escape in a string is malformed")
	}
	if !utf16.IsSurrogate(first) {
		return first, nil
	}
	second := rune(0)
	if p.take('\\') {
		second, _ = p.unit()
	}
	pair := utf16.DecodeRune(first, second)
	if pair == utf8.RuneError {
		return 0, p.fail("half of a surrogate pair stands alone")
	}
	return pair, nil
}

// unit reads uXXXX, one UTF-16 code unit.
func (p *jsonParser) unit() (rune, bool) {
	if !p.take('u') || len(p.data)-p.at < 4 {
		return 0, false
	}
	unit := rune(0)
	for _, c := range []byte(p.data[p.at : p.at+4]) {
		digit := strings.IndexByte("0123456789abcdef", c|0x20)
		if digit < 0 || c < '0' {
			return 0, false
		}
		unit = unit<<4 | rune(digit)
	}
	p.at += 4
	return unit, true
}

// escapePointer is RFC 6901 section 3.
var escapePointer = strings.NewReplacer("~", "~0", "/", "~1")

// pointer makes a JSON pointer (RFC 6901) of member names and list indexes.
func pointer(path ...string) string {
	var b strings.Builder
	for _, step := range path {
		b.WriteByte('/')
		b.WriteString(escapePointer.Replace(step))
	}
	return b.String()
}
