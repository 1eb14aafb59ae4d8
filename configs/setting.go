package configs

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// setting is one key of a Config: its name, and the field that holds it.
type setting struct {
	key   string        // as in dns.listen
	field reflect.Value // addressable: setting it changes the Config
}

// settings lists every key of c in the order of the struct's fields.
func settings(c *Config) []setting {
	return settingsBelow("", reflect.ValueOf(c).Elem())
}

func settingsBelow(section string, v reflect.Value) []setting {
	var all []setting
	for field, value := range v.Fields() {
		key := section + field.Tag.Get("yaml")
		if value.Kind() == reflect.Struct {
			all = append(all, settingsBelow(key+".", value)...)
			continue
		}
		all = append(all, setting{key, value})
	}
	return all
}

// settingsByKey is settings, to look up by key.
func settingsByKey(c *Config) map[string]setting {
	byKey := map[string]setting{}
	for _, s := range settings(c) {
		byKey[s.key] = s
	}
	return byKey
}

// env is the name of the environment variable of s.
func (s setting) env() string {
	return envName(s.key)
}

// set parses text into the field. A list is written with commas.
func (s setting) set(text string) error {
	switch field := s.field.Addr().Interface().(type) {
	case *string:
		*field = text
	case *[]string:
		*field = splitList(text)
	case *bool:
		return assign(field, text, parseBool)
	case *int:
		return assign(field, text, parseInt)
	case *time.Duration:
		return assign(field, text, parseDuration)
	case *Size:
		return assign(field, text, ParseSize)
	default:
		panic("configs: " + s.key + " has a type that cannot be parsed: " + s.field.Type().String())
	}
	return nil
}

// setList sets a list from its items, and refuses where one value is wanted.
func (s setting) setList(items []string) error {
	list, ok := s.field.Addr().Interface().(*[]string)
	if !ok {
		return fmt.Errorf("takes one value, not a list")
	}
	*list = items
	return nil
}

// String prints the value as set would read it.
func (s setting) String() string {
	return format(s.field.Interface())
}

// format prints a value of any type that a Config holds.
func format(value any) string {
	switch v := value.(type) {
	case time.Duration:
		return formatDuration(v)
	case []string:
		return strings.Join(v, ",")
	default:
		return fmt.Sprint(v)
	}
}

func assign[T any](to *T, text string, parse func(string) (T, error)) error {
	value, err := parse(text)
	if err != nil {
		return err
	}
	*to = value
	return nil
}

func parseBool(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither true nor false", text)
}

func parseInt(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a whole number", text)
	}
	return n, nil
}

func splitList(text string) []string {
	var items []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}
