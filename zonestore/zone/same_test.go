package zone

import "testing"

func TestSameAs(t *testing.T) {
	t.Parallel()
	const address = "a.example.org. 60 IN A 192.0.2.1"
	base := build(t, "example.org.", soaText, nsText, address)
	for _, tc := range []struct {
		what    string
		records []string
		want    bool
	}{
		{"in another order", []string{address, nsText, soaText}, true},
		{"in another case", []string{soaText, nsText, "A.Example.org. 60 IN A 192.0.2.1"}, true},
		{"another value", []string{soaText, nsText, "a.example.org. 60 IN A 192.0.2.2"}, false},
		{"another TTL", []string{soaText, nsText, "a.example.org. 61 IN A 192.0.2.1"}, false},
		{"another name", []string{soaText, nsText, "b.example.org. 60 IN A 192.0.2.1"}, false},
		{"one more", []string{soaText, nsText, address, "a.example.org. 60 IN A 192.0.2.2"}, false},
		{"one fewer", []string{soaText, nsText}, false},
	} {
		z := build(t, "example.org.", tc.records...)
		if z.SameAs(base) != tc.want || base.SameAs(z) != tc.want {
			t.Errorf("%s: want %v", tc.what, tc.want)
		}
	}
}
