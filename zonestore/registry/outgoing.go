package registry

import (
	"slices"
	"time"
)

// Outgoing says to whom a zone is handed out: which peers may fetch it, and are
// told of changes.
type Outgoing struct {
	ID       string // that of the zone
	Account  string // that of its peers
	Name     string // as sent, with or without the last dot
	Peers    []string
	Enabled  bool
	Created  time.Time
	Modified time.Time
	Revision uint64
}

// Apex gives the zone's name as that of a Zone does.
func (o Outgoing) Apex() string { return apexOf(o.Name) }

func (o *Outgoing) key() key         { return key{KindOutgoing, o.ID} }
func (o *Outgoing) account() string  { return o.Account }
func (o *Outgoing) revision() uint64 { return o.Revision }

func (o *Outgoing) clone() Outgoing {
	c := *o
	c.Peers = slices.Clone(o.Peers)
	return c
}
