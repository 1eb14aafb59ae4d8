package transfer

import (
	"errors"

	"secondaryd/zonestore/zone"
)

// settingOf are the settings behind the causes that are a limit's, and behind what a zone
// has more of than it may.
var (
	settingOf = map[Cause]string{
		CauseBudget:  "max_bytes_running",
		CauseSlow:    "min_rate",
		CauseTooLong: "total_timeout",
		CauseGaveWay: "max_running",
		CauseCrowded: "per_peer",
	}
	settingOfZone = map[string]string{
		octetsOfTransfer:      "max_bytes",
		messagesOfTransfer:    "max_messages",
		differencesOfTransfer: "differences",
		zone.LimitRecords:     "max_records",
		zone.LimitRRset:       "max_rrset_records",
		zone.LimitTypes:       "max_types_per_name",
		zone.LimitMemory:      "memory",
	}
)

// What a transfer can have more of than it may, as its errors name it.
const (
	octetsOfTransfer      = "octets (transfer.max_bytes)"
	messagesOfTransfer    = "messages (transfer.max_messages)"
	differencesOfTransfer = "differences"
)

// tooMany is the error for a transfer with more than limit of something.
func tooMany(step Step, what string, limit int) *Error {
	return &Error{Step: step, Cause: CauseLimit, Err: &zone.LimitError{What: what, Limit: limit}}
}

// Limit names the limit that a refresh failed for: a setting of the transfers mostly,
// "other" for what no setting moves; empty for none.
func (e *Error) Limit() string {
	if over, ok := errors.AsType[*zone.LimitError](e.Err); ok && e.Cause == CauseLimit {
		if setting, ok := settingOfZone[over.What]; ok {
			return setting
		}
		return "other"
	}
	return settingOf[e.Cause]
}

// limits are all that Limit returns.
func limits() []string {
	all := []string{"other"}
	for _, setting := range settingOf {
		all = append(all, setting)
	}
	for _, setting := range settingOfZone {
		all = append(all, setting)
	}
	return all
}
