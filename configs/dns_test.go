package configs

import (
	"strings"
	"testing"
)

func TestServerID(t *testing.T) {
	t.Parallel()
	tests := []struct{ nsid, want, err string }{
		{"", "", ""},
		{"ns1.example", "ns1.example", ""},
		{"0x6e7331", "ns1", ""},
		{"0X6e", "0X6e", ""},
		{"0x", "", "after 0x"},
		{"0x6", "", "after 0x"},
		{"0xns1", "", "after 0x"},
		{strings.Repeat("a", 128), strings.Repeat("a", 128), ""},
		{strings.Repeat("a", 129), "", "has 129 octets"},
		{"0x" + strings.Repeat("00", 129), "", "has 129 octets"},
	}
	for _, test := range tests {
		got, err := DNS{NSID: test.nsid}.ServerID()
		if string(got) != test.want || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%q: got %q, %v; want %q, %q", test.nsid, got, err, test.want, test.err)
		}
	}
}

func TestIsHostName(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("a", 63)
	for text, want := range map[string]bool{
		"agent.example": true, "agent.example.": true, "_er.A-1": true, label: true, label + "." + label + "." + label + "." + label[:61]: true,
		"": false, ".": false, "..": false, ".a": false, "a..b": false, "a..": false, "a b": false, `a\.b`: false, "ä": false, label + "a": false,
		label + "." + label + "." + label + "." + label[:62]: false,
	} {
		if got := isHostName(text); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
}
