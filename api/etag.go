package api

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

const headerETag = "ETag"

// tagLength is how many octets of a digest make a tag.
const tagLength = 12

// entityTag is the entity tag (RFC 9110 section 8.8.3) of an object that is
// stored in parts with these revisions, 0 for a part that is not there; empty if
// none is there. No two transactions have one revision: what has changed has
// another tag. The revisions themselves count the changes of all accounts, which
// is no matter of any of them; and they come again, for other changes, after the
// configuration was restored from a backup, which needs another run of the server.
// So a tag is a digest with a key of the run.
//
// It stands for what is stored, which is what a change replaces: the serial and
// the times of a copy move by themselves, and whoever waits for a moment in which
// they do not would never get to change anything.
func (s *Server) entityTag(revisions ...uint64) string {
	if !slices.ContainsFunc(revisions, func(r uint64) bool { return r != 0 }) {
		return ""
	}
	text := slices.Clone(s.tagKey[:])
	for _, revision := range revisions {
		text = binary.BigEndian.AppendUint64(text, revision)
	}
	sum := sha256.Sum256(text)
	return `"` + hex.EncodeToString(sum[:tagLength]) + `"`
}

// respondTagged answers with an object and its entity tag.
func respondTagged(c echo.Context, tag string, result any) error {
	c.Response().Header().Set(headerETag, tag)
	return respond(c, result)
}

// precondition refuses a change that the client wants only of an object as it
// knows it (RFC 9110 section 13.1). It is asked in the transaction, once nothing
// but the body can be wrong any more; the tag is empty where nothing is there.
func precondition(c echo.Context, tag string) error {
	header := c.Request().Header
	if lines := header.Values("If-Match"); len(lines) > 0 {
		tags, err := entityTags("If-Match", lines)
		if err != nil {
			return err
		}
		switch {
		case tag != "" && (slices.Contains(tags, tag) || slices.Contains(tags, anyTag)):
		case tag != "" && slices.Contains(tags, "W/"+tag):
			return refuse(codePrecondition, "the tag in If-Match is a weak one, which never counts: a proxy that packs answers has made it that")
		default:
			return refuse(codePrecondition, "this is not, or no longer, what If-Match names: read it again")
		}
	}
	if lines := header.Values("If-None-Match"); len(lines) > 0 {
		tags, err := entityTags("If-None-Match", lines)
		if err != nil {
			return err
		}
		if tag != "" && excludes(tags, tag) {
			return refuse(codePrecondition, "this is what If-None-Match excludes")
		}
	}
	return nil
}

// excludes reports whether the tags of an If-None-Match have one, which is compared
// weakly.
func excludes(tags []string, tag string) bool {
	return slices.ContainsFunc(tags, func(t string) bool { return t == anyTag || strings.TrimPrefix(t, "W/") == tag })
}

// anyTag stands for whatever is there.
const anyTag = "*"

// entityTags reads the list of tags of a header. One that is not understood is
// refused: who sends it counts on it.
func entityTags(name string, lines []string) (tags []string, err error) {
	rest := strings.Trim(strings.Join(lines, ","), " \t")
	if rest == anyTag {
		return []string{anyTag}, nil
	}
	for {
		rest = strings.TrimLeft(rest, ", \t") // an entry may be empty
		if rest == "" {
			break
		}
		tag, ok := leadingTag(rest)
		rest = strings.TrimLeft(strings.TrimPrefix(rest, tag), " \t")
		if !ok || rest != "" && rest[0] != ',' {
			return nil, refuse(codeBadRequest, `%s: an ETag in its quotes is needed, or several with commas, or *`, name)
		}
		tags = append(tags, tag)
	}
	return tags, nil
}

// leadingTag is the entity tag that a text begins with.
func leadingTag(text string) (tag string, ok bool) {
	opaque := strings.TrimPrefix(text, "W/")
	if !strings.HasPrefix(opaque, `"`) {
		return "", false
	}
	end := strings.IndexByte(opaque[1:], '"')
	if end < 0 {
		return "", false
	}
	return text[:len(text)-len(opaque)+end+2], true
}
