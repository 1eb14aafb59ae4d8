package transfer

import (
	"bufio"
	"io"
	"net"
)

// An intake is where a transfer reads its messages from. A primary sends them one at
// a time, and to wake for each takes longer than to read it: of a large transfer it
// waits until many have come, for a moment at most.
type intake struct {
	conn   net.Conn
	bulk   io.ReadCloser // conn, read in large pieces; nil as long as the transfer is small
	buffer *bufio.Reader // of bulk
}

// bulkSize is the octets that are read at a time.
const bulkSize = 128 << 10

// readBulk has what is still to come read in large pieces.
func (in *intake) readBulk() {
	if in.bulk == nil {
		in.bulk = gather(in.conn)
		in.buffer = bufio.NewReaderSize(in.bulk, bulkSize)
	}
}

// Read implements io.Reader.
func (in *intake) Read(b []byte) (int, error) {
	if in.bulk == nil {
		return in.conn.Read(b)
	}
	return in.buffer.Read(b)
}

// end leaves the connection as it was, and reports whether all that was read from
// it was taken.
func (in *intake) end() (taken bool) {
	if in.bulk == nil {
		return true
	}
	return in.bulk.Close() == nil && in.buffer.Buffered() == 0
}
