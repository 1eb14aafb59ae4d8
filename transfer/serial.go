package transfer

// newer reports whether serial a is greater than b in the arithmetic of RFC
// 1982 section 3.2. Where that leaves the order undefined, at a distance of
// exactly 2^31, neither is newer: such a copy is reported as older, never
// taken silently, and never asked for in a loop.
func newer(a, b uint32) bool {
	return a != b && a-b < 1<<31
}
