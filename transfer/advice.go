package transfer

import "slices"

// adviceTable says what to do about a cause. The API gives it with a diagnosis,
// and the manual has the same rows (docs/operations.md). The first row with the
// step and the cause counts.
var adviceTable = []struct {
	steps  []Step // none: any
	causes []Cause
	text   string
}{
	{[]Step{StepConnect}, []Cause{CauseConnRefused}, "is the primary up, is `port` right, does it listen on TCP?"},
	{[]Step{StepConnect}, []Cause{CauseConnectTimeout, CauseUnreachable}, "firewall, routing, `ip`"},
	{[]Step{StepConnect}, []Cause{CauseLeftOut}, "as above; the details have the cause of the last failure"},
	{[]Step{StepConnect}, []Cause{CauseCrowded}, "it was to be asked since another peer of the zone had failed: mend that one, or raise " +
		"`transfer.max_running_per_peer` or `transfer.soa_queries_per_second_per_peer`"},
	{[]Step{StepConnect}, []Cause{CauseForbidden}, "the details say why; `transfer.forbid_private_peers` is one reason"},
	{[]Step{StepConnect}, []Cause{CauseNoAddress}, "`PUT` the peer with an `ip`"},
	{[]Step{StepTLS}, []Cause{CauseNotTrusted}, "a certificate of an authority of its own needs that in the peer's `ca_certificate`, or the key in `pins`; " +
		"does the primary send its intermediate certificates? The container image has no authorities of its own: mount the host's " +
		"`/etc/ssl/certs/ca-certificates.crt` at the same place, or set `ca_certificate`"},
	{[]Step{StepTLS}, []Cause{CauseValidity}, "renew it at the primary; check both clocks"},
	{[]Step{StepTLS}, []Cause{CauseHostName}, "`error` in the log says for which; set the peer's `tls` member `name` to one of them, if that is the primary"},
	{[]Step{StepTLS}, []Cause{CausePin}, "the details say which pin it has. Only if the primary did change its key, add that to `pins`: this is what " +
		"an attack looks like, too"},
	{[]Step{StepTLS}, []Cause{CauseNoDoT}, "something else than DNS answers on that port, or the primary is an NSD that selects no protocol, as 4.6 and " +
		"other releases do: RFC 9103 forbids to go on without"},
	{[]Step{StepTLS}, []Cause{CauseTLSVersion}, "allow it at the primary; older versions are not to be used (RFC 9103)"},
	{[]Step{StepTLS}, []Cause{CauseClient}, "set `client_certificate` and `client_key`, issued by whom the primary trusts, and not expired"},
	{[]Step{StepTLS}, []Cause{CauseNotTLS, CauseClosed, CauseNoAnswer}, "is `port` that of TLS (853), not 53?"},
	{[]Step{StepTLS}, []Cause{CauseTLS}, "`error`, and the primary's log, have the details"},
	{nil, []Cause{CauseNotDNS}, "is `port` right? Something else than a DNS server answers at that address"},
	{nil, []Cause{CauseNoAnswer}, "a firewall that drops UDP or TCP, an overloaded primary"},
	{nil, []Cause{CauseClosed, CauseReset}, "the primary's log. With TLS: BIND does so, after the handshake, with clients whose certificate it does not trust, " +
		"or who show none; see `client_certificate`"},
	{[]Step{StepIXFR}, []Cause{CauseRefused, CauseNotAuth, CauseFormErr, CauseNotImp}, "have the primary allow IXFR to this host's address or key, or unset `ixfr_enable`; " +
		"the whole zone is asked for until then"},
	{nil, []Cause{CauseRefused}, "allow this host's address, or the key, to transfer the zone"},
	{nil, []Cause{CauseNotAuth, CauseLame}, "is the zone's name right, has the primary loaded it? NSD and BIND answer so to a host they do not know, too"},
	{nil, []Cause{CauseServFail, CauseRcode}, "the primary's log; has it loaded the zone, or has the zone expired there?"},
	{nil, []Cause{CauseWrongZone, CauseNoSOA, CauseNotAnswer}, "something that is not the primary answers at that address"},
	{nil, []Cause{CauseFormErr, CauseNotImp}, "something that is not an authoritative server answers at that address"},
	{nil, []Cause{CauseCut, CauseStalled}, "the primary's log; a middlebox that limits connections"},
	{nil, []Cause{CauseSlow, CauseTooLong, CauseGaveWay}, "an overloaded primary or line; if the zone is that large, raise `transfer.total_timeout` or " +
		"`transfer.max_running`, or lower `transfer.min_rate`"},
	{nil, []Cause{CauseChain, CauseMisfit}, "the primary's history of the zone is not that of the copy, as after it was restored or replaced; " +
		"the whole zone is taken in the same try. If it happens again and again, unset `ixfr_enable` and report it to the primary's makers. " +
		"NSD 4.6 with `create-ixfr` does so in each update of a zone that has names with several types"},
	{nil, []Cause{CauseStructure, CauseForeign, CauseMalformed}, "a fault of the primary: the details say which"},
	{nil, []Cause{CauseLimit}, "raise the limit that the details name (`transfer.max_...`), if the zone is meant to be so large"},
	{nil, []Cause{CauseBudget}, "raise `transfer.max_bytes_running`, or lower `transfer.max_running`"},
	{nil, []Cause{CauseBadKey}, "names must be the same on both sides"},
	{nil, []Cause{CauseAlgorithm}, "the details say which; set it in the key's `algo`"},
	{nil, []Cause{CauseSecret}, "copy the secret again"},
	{nil, []Cause{CauseClock}, "the details say by how much, and whose is ahead; run NTP on both"},
	{nil, []Cause{CauseUnsigned}, "the primary does not know that the zone wants a key, or something else answers"},
	{nil, []Cause{CauseOtherKey, CauseTSIG}, "the primary has other settings for this host than meant, or something else answers"},
	{nil, []Cause{CauseOlder}, "the primary lost data or its serial went back: fix its serial, or take its copy with `force_axfr`"},
	{nil, []Cause{CauseRolledBack}, "mend the zone at the primary and raise its serial, or see [rollback](#earlier-versions) for how to end it"},
	{nil, []Cause{CauseShrink}, "see [held versions](#held-versions)"},
	{nil, []Cause{CauseFaults}, "a fault of the zone, the details name the first"},
	{nil, []Cause{CauseZONEMD}, "the zone was changed on its way, or after it was digested"},
	{nil, []Cause{CauseDNSSEC}, "signatures that have expired or do not verify, a broken chain of NSEC or NSEC3, keys that the trust anchor does not name: " +
		"the details have the first"},
	{nil, []Cause{CauseNoNS}, "a fault of the zone"},
	{nil, []Cause{CauseIterations}, "sign the zone with 0 iterations, as RFC 9276 asks"},
	{nil, []Cause{CauseInternal}, "report it, with the lines of the log around it"},
}

// Advice says what to do about the failure, in words for an operator.
func (e *Error) Advice() string {
	for _, row := range adviceTable {
		if (row.steps == nil || slices.Contains(row.steps, e.Step)) && slices.Contains(row.causes, e.Cause) {
			return row.text
		}
	}
	return ""
}
