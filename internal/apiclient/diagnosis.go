package apiclient

// Diagnosis is what was found when each peer of a zone was tried.
type Diagnosis struct {
	ID      string          `json:"id"`
	Name    string          `json:"name"`
	Healthy bool            `json:"healthy"`
	Peers   []PeerDiagnosis `json:"peers"`
}

// PeerDiagnosis is what was found of one peer.
type PeerDiagnosis struct {
	ID      string          `json:"id"`
	Address string          `json:"address"`
	Result  string          `json:"result"` // ok, failed
	Summary string          `json:"summary"`
	Skew    *float64        `json:"clock_offset_seconds"` // of its clock ahead of the server's; nil: not known
	Steps   []DiagnosisStep `json:"steps"`
}

// DiagnosisStep is one thing that was tried.
type DiagnosisStep struct {
	Name    string  `json:"name"`
	Result  string  `json:"result"` // ok, failed, skipped
	Cause   string  `json:"cause"`
	Detail  string  `json:"detail"`
	Advice  string  `json:"advice"`
	Seconds float64 `json:"duration_seconds"`
}

// DiagnosePath is where the peers of a zone are tried.
func DiagnosePath(zoneID string) string { return IncomingPath(zoneID) + "/diagnose" }
