package nameserver

// giveReportChannel tells resolvers where to report what is wrong with a zone
// of ours (RFC 9567 section 6.2), but not with the agent domain itself: reports
// about reports would have no end.
func (r *responder) giveReportChannel() {
	if len(r.agent) > 0 && !r.query.name.In(r.agent) {
		r.gives |= withReportChannel
	}
}
