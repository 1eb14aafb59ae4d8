package registry

import (
	"slices"
	"strings"
	"time"

	"secondaryd/internal/wire"
)

// Zone is one secondary zone: what to fetch, from whom and how often.
type Zone struct {
	ID          string
	Account     string // that of its peers
	Name        string // as sent, with or without the last dot
	AutoRefresh uint32 // seconds between checks of the serial
	Peers       []string
	MaxShrink   *uint8 // percent of its records that it may lose at once; nil: the server's setting
	Created     time.Time
	Modified    time.Time
	Revision    uint64
}

// Apex gives the zone's name as an absolute presentation name in lower case.
// Two zones are the same zone in the DNS exactly if their apexes are equal.
func (z Zone) Apex() string { return apexOf(z.Name) }

// ApexKey gives the canonical form of a zone name: absolute, in lower case,
// escaped in one way only. Names that differ in case, the last dot or the
// choice of escapes have one key.
func ApexKey(name string) (string, error) {
	if isPlain(name) {
		if strings.HasSuffix(name, ".") {
			return name, nil
		}
		return name + ".", nil
	}
	parsed, err := wire.ParseName(name)
	if err != nil {
		return "", err
	}
	return parsed.Fold().String(), nil
}

// isPlain reports whether name has its canonical form but for the last dot, as
// nearly all names have: it need not be parsed.
func isPlain(name string) bool {
	const maxText = 253 // octets, of which a name in wire form has two more
	name = strings.TrimSuffix(name, ".")
	if len(name) > maxText {
		return false
	}
	label := 0
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
			label++
		case c == '.' && label > 0:
			label = 0
		default:
			return false
		}
		if label > wire.MaxLabel {
			return false
		}
	}
	return label > 0
}

func (z *Zone) key() key         { return key{KindZone, z.ID} }
func (z *Zone) account() string  { return z.Account }
func (z *Zone) revision() uint64 { return z.Revision }

func (z *Zone) clone() Zone {
	c := *z
	c.Peers, c.MaxShrink = slices.Clone(z.Peers), clonePointer(z.MaxShrink)
	return c
}
