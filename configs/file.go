package configs

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// byteOrderMark begins the files of some editors and means nothing in UTF-8.
var byteOrderMark = []byte("\xef\xbb\xbf")

// applyFile sets what the YAML text says and notes where each key stood. The
// library only parses; keys and values are matched here, so that one reading
// reports every mistake, and so that file and environment share one parser
// for each type.
func applyFile(c *Config, path string, text []byte, sources map[string]string) Problems {
	r := fileReader{path: path, settings: settingsByKey(c), sources: sources}
	file, err := parser.ParseBytes(bytes.TrimPrefix(text, byteOrderMark), 0)
	if err != nil {
		r.syntax(err)
		return r.problems
	}
	if documents := withContent(file); len(documents) > 0 {
		r.document(documents)
	}
	return r.problems
}

// fileReader walks one parsed file.
type fileReader struct {
	path     string
	settings map[string]setting
	sources  map[string]string
	problems Problems
}

// withContent drops the documents that hold nothing: an empty file, comments,
// a marker at the end.
func withContent(file *ast.File) []ast.Node {
	var bodies []ast.Node
	for _, doc := range file.Docs {
		switch doc.Body.(type) {
		case nil, *ast.NullNode, *ast.CommentGroupNode:
			continue
		}
		bodies = append(bodies, doc.Body)
	}
	return bodies
}

func (r *fileReader) document(documents []ast.Node) {
	pairs, ok := mapping(documents[0])
	if !ok {
		r.fault(start(documents[0]), "", "want keys and values, as in log: and below it level: info")
		return
	}
	r.section("", pairs)
	for _, extra := range documents[1:] {
		r.fault(start(extra), "", "a second document; the file may hold only one")
	}
}

// section reads the pairs below one section; prefix ends in a dot, or is
// empty at the top.
func (r *fileReader) section(prefix string, pairs []*ast.MappingValueNode) {
	for _, pair := range pairs {
		name, ok := plainKey(pair.Key)
		if !ok {
			r.fault(pair.Key.GetToken(), "", "a key must be a plain word")
			continue
		}
		r.pair(prefix+name, pair)
	}
}

func (r *fileReader) pair(key string, pair *ast.MappingValueNode) {
	at := pair.Key.GetToken()
	if s, ok := r.settings[key]; ok {
		r.value(s, pair.Value)
		return
	}
	if !slices.Contains(r.sections(), key) {
		known := slices.Concat(slices.Sorted(maps.Keys(r.settings)), r.sections())
		r.fault(at, "", "unknown key %s%s", printable(key), didYouMean(key, known))
		return
	}
	if _, empty := pair.Value.(*ast.NullNode); empty {
		return
	}
	below, ok := mapping(pair.Value)
	if !ok {
		r.fault(at, key, "is a section: its keys go below it, indented")
		return
	}
	r.section(key+".", below)
}

// value sets s from a scalar or a list. A key without a value keeps what it
// has, so that a line may be emptied as well as commented out.
func (r *fileReader) value(s setting, node ast.Node) {
	at := start(node)
	err := error(nil)
	switch v := node.(type) {
	case *ast.NullNode:
		return
	case *ast.SequenceNode:
		err = r.list(s, v)
	default:
		text, ok := scalar(v)
		if !ok {
			err = errors.New("wants a plain value")
			break
		}
		err = s.set(text)
	}
	r.sources[s.key] = r.at(at)
	if err != nil {
		r.fault(at, s.key, "%s", err)
	}
}

func (r *fileReader) list(s setting, list *ast.SequenceNode) error {
	items := make([]string, 0, len(list.Values))
	for i, node := range list.Values {
		text, ok := scalar(node)
		if !ok {
			return fmt.Errorf("item %d of the list is not a plain value", i+1)
		}
		items = append(items, text)
	}
	return s.setList(items)
}

// sections lists the keys that have others below them.
func (r *fileReader) sections() []string {
	found := map[string]bool{}
	for key := range r.settings {
		for i := strings.LastIndexByte(key, '.'); i > 0; i = strings.LastIndexByte(key[:i], '.') {
			found[key[:i]] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func (r *fileReader) fault(at *token.Token, key, format string, args ...any) {
	r.problems.add(r.at(at), key, format, args...)
}

// syntax reports what the YAML parser refused; it stops at the first mistake.
func (r *fileReader) syntax(err error) {
	if refused, ok := errors.AsType[yaml.Error](err); ok && refused.GetToken() != nil {
		r.fault(refused.GetToken(), "", "%s", printable(refused.GetMessage()))
		return
	}
	r.problems.add(r.path, "", "%s", printable(err.Error()))
}

// printable quotes a text from the file if it would spoil a line of output.
func printable(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(text)
	}
	return text
}

// at prints a place as file:line:column.
func (r *fileReader) at(tk *token.Token) string {
	if tk == nil || tk.Position == nil {
		return r.path
	}
	return fmt.Sprintf("%s:%d:%d", r.path, tk.Position.Line, tk.Position.Column)
}

// start is where a node begins; the library's token of a mapping is its colon.
func start(node ast.Node) *token.Token {
	if pairs, ok := mapping(node); ok && len(pairs) > 0 {
		return pairs[0].Key.GetToken()
	}
	return node.GetToken()
}

// mapping returns the pairs of a node that holds keys and values.
func mapping(node ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := node.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// plainKey returns the text of a key that is a word; aliases, merges and
// complex keys have no use here.
func plainKey(node ast.MapKeyNode) (string, bool) {
	key, ok := node.(*ast.StringNode)
	if !ok {
		return "", false
	}
	return key.Value, true
}

// scalar returns the text of a single value as it was written.
func scalar(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}
