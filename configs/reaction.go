package configs

import "slices"

// What can be done about a new version of a zone that is not as it should be.
const (
	ReactionIgnore = "ignore"
	ReactionWarn   = "warn"
	ReactionHold   = "hold"
)

func reaction(p *Problems, key, text string) {
	if !slices.Contains([]string{ReactionIgnore, ReactionWarn, ReactionHold}, text) {
		p.add("", key, "%q is not one of ignore, warn and hold", text)
	}
}
