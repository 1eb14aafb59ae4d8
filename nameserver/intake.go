package nameserver

import "encoding/binary"

// intake cuts the octets of a TCP connection into messages (RFC 1035 section
// 4.2.2). What has arrived lies in a buffer that is lent to it, or, while the
// connection waits and for messages longer than the buffer, in memory of its
// own, which grows as octets arrive and no sooner.
type intake struct {
	data  []byte // not taken yet
	own   []byte // memory of its own
	owned bool   // data is in own
}

// lengthSize is the octets in front of each message.
const lengthSize = 2

// expected returns how many octets the next message has with its length, as far
// as that is known.
func (i *intake) expected() int {
	if len(i.data) < lengthSize {
		return lengthSize
	}
	return lengthSize + int(binary.BigEndian.Uint16(i.data))
}

// ready reports whether the next message has arrived.
func (i *intake) ready() bool { return len(i.data) >= i.expected() }

// take returns the next message, which must have arrived. It is valid until the
// next call of room.
func (i *intake) take() []byte {
	n := i.expected()
	message := i.data[lengthSize:n]
	i.data = i.data[n:]
	return message
}

// room returns where the next octets are to go, in the buffer if the message
// fits. The next message must not have arrived. The buffer is lent until stash,
// and must be the same until then.
func (i *intake) room(buffer []byte) []byte {
	n, want := len(i.data), i.expected()
	if want <= len(buffer) {
		copy(buffer, i.data)
		i.data, i.own, i.owned = buffer[:n], nil, false
		return buffer[n:]
	}
	if !i.owned || n == cap(i.data) {
		i.own = make([]byte, n, min(2*n+len(buffer), want))
		copy(i.own, i.data)
		i.data, i.owned = i.own, true
	}
	return i.data[n:min(cap(i.data), want)]
}

// received notes that n octets were put where room said.
func (i *intake) received(n int) { i.data = i.data[:len(i.data)+n] }

// stash takes what has arrived out of the lent buffer.
func (i *intake) stash() {
	if i.owned && len(i.data) > 0 {
		return
	}
	if i.own = nil; len(i.data) > 0 {
		i.own = append(i.own, i.data...)
	}
	i.data, i.owned = i.own, true
}
