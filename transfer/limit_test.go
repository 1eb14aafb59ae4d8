package transfer

import (
	"slices"
	"testing"

	"secondaryd/zonestore/zone"
)

func TestErrorLimit(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		err  *Error
		want string
	}{
		{tooMany(StepAXFR, octetsOfTransfer, 1), "max_bytes"},
		{tooMany(StepAXFR, messagesOfTransfer, 1), "max_messages"},
		{tooMany(StepIXFR, differencesOfTransfer, 1), "differences"},
		{classify(StepAXFR, &zone.LimitError{What: zone.LimitRecords, Limit: 1}), "max_records"},
		{classify(StepAXFR, &zone.LimitError{What: zone.LimitRRset, Limit: 1}), "max_rrset_records"},
		{classify(StepAXFR, &zone.LimitError{What: zone.LimitTypes, Limit: 1}), "max_types_per_name"},
		{classify(StepAXFR, &zone.LimitError{What: zone.LimitMemory, Limit: 1}), "memory"},
		{classify(StepAXFR, &zone.LimitError{What: "records and signatures in an RRset", Limit: 1}), "other"},
		{fail(StepAXFR, CauseBudget, "test"), "max_bytes_running"},
		{fail(StepAXFR, CauseSlow, "test"), "min_rate"},
		{fail(StepAXFR, CauseTooLong, "test"), "total_timeout"},
		{fail(StepAXFR, CauseGaveWay, "test"), "max_running"},
		{crowded("test"), "per_peer"},
		{fail(StepAXFR, CauseRefused, "test"), ""},
	} {
		got := tc.err.Limit()
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.err, got, tc.want)
		}
		if got != "" && !slices.Contains(limits(), got) {
			t.Errorf("%q is not among the limits", got)
		}
	}
}
