package nameserver

import "encoding/binary"

const (
	zoneVersionSize = 6
	versionIsSerial = 0 // the type SOA-SERIAL
)

// appendZoneVersion writes which version of which zone the answer came from:
// the labels of the zone's name and the serial (RFC 9660 section 2.1). A referral
// comes from the zone above the cut.
func (r *responder) appendZoneVersion(b []byte) []byte {
	b = appendOptionHead(b, optionZoneVersion, zoneVersionSize)
	b = append(b, byte(r.zone.Apex().Labels()), versionIsSerial)
	return binary.BigEndian.AppendUint32(b, r.zone.Serial())
}
