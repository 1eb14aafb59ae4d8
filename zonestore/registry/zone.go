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
	Created     time.Time
	Modified    time.Time
	Revision    uint64
}

// Apex gives the zone's name as an absolute presentation name in lower case.
// Two zones are the same zone in the DNS exactly if their apexes are equal.
func (z Zone) Apex() string {
	apex, err := ApexKey(z.Name)
	if err != nil {
		return strings.ToLower(strings.TrimSuffix(z.Name, ".")) + "."
	}
	return apex
}

// ApexKey gives the canonical form of a zone name: absolute, in lower case,
// escaped in one way only. Names that differ in case, the last dot or the
// choice of escapes have one key.
func ApexKey(name string) (string, error) {
	parsed, err := wire.ParseName(name)
	if err != nil {
		return "", err
	}
	return parsed.Fold().String(), nil
}

func (z *Zone) key() key         { return key{KindZone, z.ID} }
func (z *Zone) account() string  { return z.Account }
func (z *Zone) revision() uint64 { return z.Revision }

func (z *Zone) clone() Zone {
	c := *z
	c.Peers = slices.Clone(z.Peers)
	return c
}
