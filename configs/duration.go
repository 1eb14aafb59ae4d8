package configs

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// parseDuration reads a duration as in 10s, 1h30m or 250ms. A bare number is
// refused, since nothing says whether it means seconds.
func parseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err == nil {
		return d, nil
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return 0, fmt.Errorf("%q needs a unit, as in %ss", text, text)
	}
	return 0, fmt.Errorf("%q is not a duration: want a number and a unit (ms, s, m, h), as in 10s", text)
}

// formatDuration prints d without the zero parts that time.Duration adds:
// 15m, not 15m0s.
func formatDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
