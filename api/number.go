package api

import (
	"strconv"
	"strings"
)

// whole gives a number that is a whole one, however it is written: 300, 300.0
// and 3e2 are. It is exact, and takes no longer for huge exponents. fits is
// false if the number is whole but does not fit.
func whole(number string) (n int64, isWhole, fits bool) {
	number, negative := strings.CutPrefix(number, "-")
	mantissa, exponentText, _ := strings.Cut(strings.ToLower(number), "e")
	integer, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(integer+fraction, "0")
	if digits == "" {
		return 0, true, true
	}
	significant := strings.TrimRight(digits, "0")
	exponent := 0
	if exponentText != "" {
		var err error
		if exponent, err = strconv.Atoi(exponentText); err != nil || exponent > 1<<30 || exponent < -1<<30 {
			return 0, !strings.HasPrefix(exponentText, "-"), false
		}
	}
	zeros := exponent - len(fraction) + len(digits) - len(significant)
	if zeros < 0 {
		return 0, false, false
	}
	if len(significant)+zeros > 18 {
		return 0, true, false
	}
	n, err := strconv.ParseInt(significant+strings.Repeat("0", zeros), 10, 64)
	if negative {
		n = -n
	}
	return n, true, err == nil
}
