//go:build !linux

package bench

import (
	"net"
	"time"
)

// processCPU needs Linux, as all measuring does.
func processCPU(int) time.Duration { return 0 }

func pause(d time.Duration) { time.Sleep(d) }

func receive(conn *net.UDPConn, b []byte, end time.Time) (int, error) {
	if err := conn.SetReadDeadline(end); err != nil {
		return 0, err
	}
	return conn.Read(b)
}
