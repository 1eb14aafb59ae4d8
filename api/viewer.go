package api

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
	"github.com/swaggest/swgui/v5/static"
)

// viewerFiles are the page itself and what starts the viewer in it.
//
//go:embed viewer
var viewerFiles embed.FS

// viewerPolicy lets the page load what this server has and nothing else, no script
// that is written in the page, and be shown in no other. The viewer has small
// pictures in its style sheet.
const viewerPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// asset is a file of the page. It is read by the first who asks for it, since most
// daemons are asked by nobody.
type asset struct {
	path    string
	kind    string // media type
	content func() content
}

// content is a file as it is sent to those who take it packed. The others get it
// unpacked, which is done once.
type content struct {
	plain  func() []byte
	packed []byte // gzip; nil if it is not worth it
	tag    string // of the plain file, without quotes
}

// viewerAssets are the page at docsPath, and what it refers to below.
var viewerAssets = []asset{
	{docsPath, "text/html; charset=utf-8", plainContent("viewer/page.html")},
	{docsPath + "/start.js", "text/javascript; charset=utf-8", plainContent("viewer/start.js")},
	{docsPath + "/swagger-ui.css", "text/css; charset=utf-8", packedContent("swagger-ui.css.gz")},
	{docsPath + "/swagger-ui-bundle.js", "text/javascript; charset=utf-8", packedContent("swagger-ui-bundle.js.gz")},
}

func plainContent(file string) func() content {
	return sync.OnceValue(func() content {
		text := mustRead(viewerFiles, file)
		return content{plain: func() []byte { return text }, tag: digestOf(text)}
	})
}

func packedContent(file string) func() content {
	return sync.OnceValue(func() content {
		packed := mustRead(static.FS, file)
		return content{packed: packed, tag: digestOf(packed), plain: sync.OnceValue(func() []byte { return unpack(packed) })}
	})
}

func mustRead(files embed.FS, name string) []byte {
	octets, err := files.ReadFile(name)
	if err != nil {
		panic(err) // it is in the binary
	}
	return octets
}

func unpack(packed []byte) []byte {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic(err) // as above
	}
	text, err := io.ReadAll(r)
	if err != nil {
		panic(err)
	}
	return text
}

func digestOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// serve answers with the file. A browser asks each time whether it is another by
// now, so that a page never meets the files of another release.
func (a asset) serve(c echo.Context) error {
	header := c.Response().Header()
	header.Set(echo.HeaderContentSecurityPolicy, viewerPolicy)
	header.Set(echo.HeaderXContentTypeOptions, "nosniff")
	header.Set(echo.HeaderReferrerPolicy, "no-referrer")
	header.Set(echo.HeaderCacheControl, "no-cache")
	header.Set(echo.HeaderVary, echo.HeaderAcceptEncoding)
	file := a.content()
	tag := `"` + file.tag + `"`
	packed := file.packed != nil && takesGzip(c.Request().Header.Get(echo.HeaderAcceptEncoding))
	if packed {
		tag = `"` + file.tag + `-gzip"`
	}
	header.Set(headerETag, tag)
	if known, err := entityTags("If-None-Match", c.Request().Header.Values("If-None-Match")); err == nil && excludes(known, tag) {
		return c.NoContent(http.StatusNotModified)
	}
	if packed {
		header.Set(echo.HeaderContentEncoding, "gzip")
		return c.Blob(http.StatusOK, a.kind, file.packed)
	}
	return c.Blob(http.StatusOK, a.kind, file.plain())
}

// takesGzip reads an Accept-Encoding (RFC 9110 section 12.5.3).
func takesGzip(accepted string) bool {
	for coding := range strings.SplitSeq(accepted, ",") {
		name, weight, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(coding, " ", "")), ";q=")
		if name == "gzip" && (weight == "" || strings.Trim(weight, "0.") != "") {
			return true
		}
	}
	return false
}
