package configs

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of octets, written as 512MiB.
type Size int64

// The units a Size is written in.
const (
	KiB Size = 1 << 10
	MiB Size = 1 << 20
	GiB Size = 1 << 30
	TiB Size = 1 << 40
)

// sizeUnits is ordered from the largest, so that the first that divides a
// size evenly prints it shortest.
var sizeUnits = []struct {
	name string
	size Size
}{
	{"TiB", TiB}, {"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB}, {"B", 1},
}

// String prints s in the largest unit that loses nothing.
func (s Size) String() string {
	for _, unit := range sizeUnits {
		if s != 0 && s%unit.size == 0 {
			return strconv.FormatInt(int64(s/unit.size), 10) + unit.name
		}
	}
	return "0"
}

// ParseSize reads a whole number of octets, with an optional unit of B, KiB,
// MiB, GiB or TiB. Decimal units (KB, MB) are refused: they mean two things.
func ParseSize(text string) (Size, error) {
	digits := strings.TrimRight(text, "BKMGTi")
	factor, ok := sizeUnit(text[len(digits):])
	if !ok {
		return 0, fmt.Errorf("%q is not a size: the units are B, KiB, MiB, GiB and TiB, as in 512MiB", text)
	}
	n, err := strconv.ParseInt(strings.TrimRight(digits, " "), 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q is not a size: want a whole number and a unit, as in 512MiB", text)
	}
	if n > math.MaxInt64/int64(factor) {
		return 0, fmt.Errorf("%q is too large", text)
	}
	return Size(n) * factor, nil
}

// sizeUnit returns the octets of one unit; no unit at all means octets.
func sizeUnit(name string) (Size, bool) {
	if name == "" {
		return 1, true
	}
	for _, unit := range sizeUnits {
		if unit.name == name {
			return unit.size, true
		}
	}
	return 0, false
}
