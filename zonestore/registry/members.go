package registry

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
)

// Member is a member of a stored object before and after a change: what JSON
// makes of it, nil where it was not set.
type Member struct {
	Name   string // one of an inner object as outer.inner
	Before any
	After  any
}

// secretMembers are those that are never shown.
var secretMembers = map[Kind][]string{
	KindTSIG:  {"secret"},
	KindPeer:  {"tls.client_key"},
	KindToken: {"hash"},
}

// Members lists the members that a replacement changes, in order. Secrets are
// hidden, but it shows whether they are others.
func (r Replacement) Members() ([]Member, error) {
	before, err := flatten(r.Kind, r.ID, r.Before)
	if err != nil {
		return nil, err
	}
	after, err := flatten(r.Kind, r.ID, r.Value)
	if err != nil {
		return nil, err
	}
	names := slices.Collect(maps.Keys(before))
	for name := range after {
		if _, ok := before[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var list []Member
	for _, name := range names {
		if !reflect.DeepEqual(before[name], after[name]) {
			m := Member{name, before[name], after[name]}
			if slices.Contains(secretMembers[r.Kind], name) {
				m.Before, m.After = hide(m.Before), hide(m.After)
			}
			list = append(list, m)
		}
	}
	return list, nil
}

// hide hides a value, and leaves it to be seen whether there is one.
func hide(value any) any {
	if value == nil || value == "" {
		return value
	}
	return hidden
}

// flatten gives the members of a stored value; none of no value.
func flatten(kind Kind, id string, value []byte) (map[string]any, error) {
	if value == nil {
		return nil, nil
	}
	e := Entry{kind, id, value}
	if _, err := checkValue(e); err != nil {
		return nil, err
	}
	var object map[string]any
	if json.Unmarshal(value[valueHeader:], &object) != nil {
		return nil, damaged(e, "value can't be read") // what the decoder says may quote a secret
	}
	flat := make(map[string]any, len(object))
	for name, member := range object {
		inner, ok := member.(map[string]any)
		if !ok {
			flat[name] = member
			continue
		}
		for innerName, member := range inner {
			flat[name+"."+innerName] = member
		}
	}
	return flat, nil
}

// Names lists what the object is called before and after, each name once.
func (r Replacement) Names() (names []string) {
	for _, value := range [][]byte{r.Before, r.Value} {
		if len(value) < valueHeader {
			continue
		}
		var object struct {
			Name string `json:"name"`
		}
		if json.Unmarshal(value[valueHeader:], &object) == nil && object.Name != "" && !slices.Contains(names, object.Name) {
			names = append(names, object.Name)
		}
	}
	return names
}
