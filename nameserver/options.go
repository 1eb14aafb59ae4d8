package nameserver

import (
	"encoding/binary"

	"secondaryd/zonestore"
)

// Codes of the EDNS options that are understood; every other one is ignored
// (RFC 6891 section 6.1.2). Padding is among those: it belongs to encrypted
// transports (RFC 7830), of which there is none.
const (
	optionNSID          = 3  // RFC 5001
	optionExpire        = 9  // RFC 7314
	optionCookie        = 10 // RFC 7873
	optionKeepalive     = 11 // RFC 7828
	optionEDE           = 15 // RFC 8914
	optionReportChannel = 18 // RFC 9567
	optionZoneVersion   = 19 // RFC 9660
)

const optionHead = 4 // octets of an option's code and length

// optionSet is a set of options.
type optionSet uint8

const (
	withNSID optionSet = 1 << iota
	withExpire
	withCookie
	withKeepalive
	withZoneVersion
	withReportChannel
)

// options is what the options of a query ask for.
type options struct {
	asked         optionSet
	keepaliveData bool   // a keepalive option was not empty
	cookie        []byte // content of the first cookie option, in the query's memory
}

// read takes the options in the RDATA b. It reports false if they do not fill
// it exactly, or one is malformed whatever the transport and the settings.
func (o *options) read(b []byte) bool {
	for len(b) > 0 {
		if len(b) < optionHead {
			return false
		}
		code, end := binary.BigEndian.Uint16(b), optionHead+int(binary.BigEndian.Uint16(b[2:]))
		if end > len(b) || !o.take(code, b[optionHead:end]) {
			return false
		}
		b = b[end:]
	}
	return true
}

func (o *options) take(code uint16, data []byte) bool {
	switch code {
	case optionNSID:
		o.asked |= withNSID // a payload is ignored (RFC 5001 section 2.2)
	case optionExpire:
		o.asked |= withExpire
	case optionCookie:
		if o.asked&withCookie == 0 { // only the first counts (RFC 7873 section 5)
			o.cookie = data
		}
		o.asked |= withCookie
	case optionKeepalive:
		o.asked |= withKeepalive
		o.keepaliveData = o.keepaliveData || len(data) > 0
	case optionZoneVersion:
		if len(data) > 0 || o.asked&withZoneVersion != 0 { // RFC 9660 section 3.2
			return false
		}
		o.asked |= withZoneVersion
	}
	return true
}

// acceptOptions decides which options the answer gives, as far as that does not
// depend on a zone. It reports false if the query breaks the rules of one.
func (r *responder) acceptOptions() bool {
	asked := r.query.edns.asked
	if asked&withKeepalive != 0 && !r.giveKeepalive() {
		return false
	}
	if asked&withCookie != 0 && r.cookies != nil && !r.giveCookie() {
		return false
	}
	// A signed message leaves the octets that are left to the signature.
	if asked&withNSID != 0 && len(r.nsid) > 0 && !r.query.signed {
		r.gives |= withNSID
	}
	return true
}

// giveZoneOptions decides about the options that tell of the zone that the
// answer comes from.
func (r *responder) giveZoneOptions(view *zonestore.View) {
	asked := r.query.edns.asked
	if asked&withExpire != 0 {
		r.giveExpire(view)
	}
	if asked&withZoneVersion != 0 {
		r.promise(withZoneVersion, zoneVersionSize)
	}
}

// promise takes the room for an option with size octets of data from what the
// records may fill, so it comes before them.
func (r *responder) promise(option optionSet, size int) {
	r.gives |= option
	r.msg.limit -= optionHead + size
}

// appendOptions writes the options of the answer behind b. What was promised
// has its room; the rest only fills what the records have left over: no record
// is dropped for it.
func (r *responder) appendOptions(b []byte) []byte {
	if r.gives&withCookie != 0 {
		b = append(appendOptionHead(b, optionCookie, cookieSize), r.cookie[:]...)
	}
	if r.gives&withKeepalive != 0 {
		b = appendOptionHead(b, optionKeepalive, keepaliveSize)
		b = binary.BigEndian.AppendUint16(b, r.keepalive)
	}
	if r.gives&withExpire != 0 {
		b = appendOptionHead(b, optionExpire, expireSize)
		b = binary.BigEndian.AppendUint32(b, r.expire)
	}
	if r.gives&withZoneVersion != 0 {
		b = r.appendZoneVersion(b)
	}
	if r.extended.code != noExtendedError {
		b = r.appendExtendedError(b)
	}
	if r.gives&withNSID != 0 && r.fits(b, len(r.nsid)) {
		b = append(appendOptionHead(b, optionNSID, len(r.nsid)), r.nsid...)
	}
	if r.gives&withReportChannel != 0 && r.fits(b, len(r.agent)) {
		b = append(appendOptionHead(b, optionReportChannel, len(r.agent)), r.agent...)
	}
	return b
}

// fits reports whether an option with size octets of data may follow b, the
// message so far.
func (r *responder) fits(b []byte, size int) bool {
	return len(b)+optionHead+size <= r.size
}

func appendOptionHead(b []byte, code uint16, size int) []byte {
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, code), uint16(size))
}
