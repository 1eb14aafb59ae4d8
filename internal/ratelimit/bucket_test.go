package ratelimit

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var testRates = []int{1, 2, 3, 5, 7, 10, 33, 100, 999, 1000, 4567, 10_000, 65_432, 99_999, 100_000}

// Under an irregular flood a bucket lets through its rate, after the credit of
// one second that it began with.
func TestRateOfFlood(t *testing.T) {
	t.Parallel()
	for _, rate := range testRates {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			t.Parallel()
			table := tableOf(t, Options{Rate: rate, Size: 4})
			rng := rand.New(rand.NewPCG(1, uint64(rate)))
			seconds := max(3, 1000/rate)
			end := time.Duration(seconds) * time.Second
			// The fewer a second, the more of them pass unused between two queries.
			mean := float64(time.Second) / float64(rate) / float64(max(5, 60/rate))
			sent := 0
			for now := time.Duration(0); now < end; now += time.Duration(rng.ExpFloat64() * mean) {
				if table.Decide(now, ip(1), Positive, 7).Action == Send {
					sent++
				}
			}
			most := rate * (seconds + 1)
			if sent > most+most/1000+1 || sent < most-most*3/100-1 {
				t.Errorf("got %d answers in %d s, want about %d", sent, seconds, most)
			}
		})
	}
}

// A client that never has more than the rate in any second is never limited,
// however it clusters its queries.
func TestNeverBelowRate(t *testing.T) {
	t.Parallel()
	for _, rate := range testRates {
		for _, window := range []time.Duration{0, 15 * time.Second} {
			t.Run(fmt.Sprint(rate, window), func(t *testing.T) {
				t.Parallel()
				table := tableOf(t, Options{Rate: rate, Window: window, Size: 4})
				rng := rand.New(rand.NewPCG(2, uint64(rate)))
				times := make([]time.Duration, rate) // of the last queries, a ring
				now := time.Duration(rng.Int64N(int64(time.Second)))
				for i := range 3*rate + 1000 {
					if i >= rate {
						now = max(now, times[i%rate]+time.Second)
					}
					if rng.IntN(3) == 0 {
						now += time.Duration(rng.Int64N(int64(2 * time.Second / time.Duration(rate))))
					}
					times[i%rate] = now
					if d := table.Decide(now, ip(1), Positive, 7); d != (Decision{}) {
						t.Fatalf("query %d at %v: got %+v, want it sent", i, now, d)
					}
				}
			})
		}
	}
}

// A debt is bounded: after a flood of any length the client gets no answer until
// it has been silent for the window, and then it does.
func TestWindow(t *testing.T) {
	t.Parallel()
	const rate = 10
	for _, window := range []time.Duration{0, time.Second, 15 * time.Second, MaxWindow} {
		t.Run(window.String(), func(t *testing.T) {
			t.Parallel()
			flooded := func() (*Table, time.Duration) {
				table, now := tableOf(t, Options{Rate: rate, Window: window}), time.Duration(0)
				for i := range 2*rate*int(window/time.Second) + 1000 {
					now += time.Millisecond
					if d := table.Decide(now, ip(1), Positive, 7); window > 0 && i > 2*rate && d.Action != Drop {
						t.Fatalf("query %d of the flood: got %+v, want it dropped", i, d)
					}
				}
				for table.Decide(now, ip(1), Positive, 7).Action == Send { // what credit is left
				}
				return table, now
			}
			table, end := flooded()
			if d := table.Decide(end+max(window, 100*time.Millisecond), ip(1), Positive, 7); d.Action != Send {
				t.Errorf("after the window: got %+v, want it sent", d)
			}
			if window > 0 {
				table, end := flooded()
				if d := table.Decide(end+window-tick, ip(1), Positive, 7); d.Action != Drop {
					t.Errorf("a tick before: got %+v, want it dropped", d)
				}
			}
			table, end = flooded()
			for i := range rate {
				if d := table.Decide(end+window+time.Second, ip(1), Positive, 7); d.Action != Send {
					t.Errorf("answer %d a second after the window: got %+v, want full credit", i, d)
				}
			}
		})
	}
}

func TestSlip(t *testing.T) {
	t.Parallel()
	for _, slip := range []int{0, 1, 2, 3, 10, MaxSlip} {
		for _, window := range []time.Duration{0, 15 * time.Second} {
			table := tableOf(t, Options{Rate: 5, Slip: slip, Window: window})
			limited := 0
			for i := range 2000 {
				d := table.Decide(time.Duration(i)*10*time.Millisecond, ip(1), Positive, 7)
				if !d.Limited {
					continue
				}
				want := Drop
				if slip > 0 && limited%slip == 0 {
					want = Slip
				}
				if d.Action != want {
					t.Fatalf("slip %d, window %v, limited answer %d: got %v, want %v", slip, window, limited, d.Action, want)
				}
				limited++
			}
			if limited < 1800 {
				t.Errorf("slip %d, window %v: %d answers limited, want nearly all", slip, window, limited)
			}
		}
	}
}

// A start is told once, and an end when the bucket is full again and is asked.
func TestStartAndEnd(t *testing.T) {
	t.Parallel()
	table := tableOf(t, Options{Rate: 2, Slip: 2, Window: 3 * time.Second})
	var got []string
	for _, at := range []time.Duration{0, 0, 0, 0, 5, 500, 900, 8000, 8000, 8000, 8000, 60_000} {
		d := table.Decide(at*time.Millisecond, ip(1), Positive, 7)
		got = append(got, fmt.Sprint(d.Action, d.Limited, d.Started, d.Ended))
	}
	want := []string{
		"0 false false false", "0 false false false",
		"1 true true false", "2 true false false", "1 true false false", "2 true false false", "1 true false false",
		"0 false false true", "0 false false false",
		"1 true true false", "2 true false false", // counted anew
		"0 false false true",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Clocks of workers differ a little; one that is behind takes nothing back.
func TestClockBehind(t *testing.T) {
	t.Parallel()
	table := tableOf(t, Options{Rate: 5, Window: time.Second})
	const now = time.Minute
	for i := range 5 {
		if d := table.Decide(now-time.Duration(i%2)*time.Microsecond, ip(1), Positive, 7); d.Limited {
			t.Errorf("answer %d: got %+v, want it sent", i, d)
		}
	}
	for _, at := range []time.Duration{now, now - time.Millisecond, 0, -time.Hour} {
		if d := table.Decide(at, ip(1), Positive, 7); !d.Limited {
			t.Errorf("at %v: got %+v, want it limited", at, d)
		}
	}
	if d := table.Decide(now+time.Second, ip(1), Positive, 7); d.Limited {
		t.Errorf("got %+v after the window, want it sent", d)
	}
}

// FuzzBucket checks one step from any state, also from those that can't be.
func FuzzBucket(f *testing.F) {
	f.Add(uint64(0), int64(0), 5, int64(15*time.Second), 2)
	f.Add(^uint64(0), int64(time.Hour), 1, int64(0), 0)
	f.Add(uint64(second)<<markBits|limitedMark|3, int64(time.Second), 100_000, int64(time.Hour), 3)
	f.Fuzz(func(t *testing.T, word uint64, at int64, rate int, window int64, slip int) {
		o := Options{Rate: rate, Window: time.Duration(window), Slip: slip}.withDefaults()
		if o.validate() != nil || rate < 1 {
			return
		}
		l, now, old := newLimit(o.Rate, o.Window, o.Slip), instantOf(time.Duration(at)), bucket(word)
		next, d := l.next(old, now)
		credit := old.full() <= now+second-l.interval
		if d.Limited == credit || (d.Action == Send) == d.Limited || d.Started && !d.Limited || d.Ended && d.Limited {
			t.Fatalf("from %x at %d: got %+v, credit %v", word, now, d, credit)
		}
		if next.full() < old.full() || next.full() > max(old.full(), now+second+instantOf(o.Window)) {
			t.Errorf("from %x at %d to %x: credit appears, or debt beyond the window", word, now, next)
		}
		if !d.Limited && next.full() != max(old.full(), now)+l.interval {
			t.Errorf("from %x at %d to %x: an answer was not paid for", word, now, next)
		}
		if count := int(next & slipMask); d.Limited && count >= max(slip, 1) {
			t.Errorf("from %x at %d to %x: count %d with slip %d", word, now, next, count, slip)
		}
	})
}
