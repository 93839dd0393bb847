package dashboards

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// boardFiles is the built board. deploy/test.sh proves that it belongs to the
// source beside it.
//
//go:embed ui/dist
var boardFiles embed.FS

const (
	// A name that holds the hash of its content never means anything else.
	keepForever = "public, max-age=31536000, immutable"
	// Everything else is asked for again; the answer may be 304.
	askAgain = "no-cache"
)

// board serves the files of the web board. An address that is no file is a page
// of the board, which the script in index.html draws: /tickets/12 in a page to
// somebody is as good as /.
type board struct {
	files fs.FS
	index []byte
}

func newBoard() (*board, error) {
	files, err := fs.Sub(boardFiles, "ui/dist")
	if err != nil {
		return nil, fmt.Errorf("embedded board: %w", err)
	}
	index, err := fs.ReadFile(files, "index.html")
	if err != nil {
		return nil, fmt.Errorf("embedded board: %w", err)
	}
	return &board{files, index}, nil
}

// ServeHTTP answers GET and HEAD.
func (b *board) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	if info, err := fs.Stat(b.files, name); name != "index.html" && err == nil && !info.IsDir() {
		b.file(w, r, name)
		return
	}
	if !isPage(r) {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", askAgain)
	http.ServeContent(w, r, "index.html", time.Time{}, bytes.NewReader(b.index))
}

func (b *board) file(w http.ResponseWriter, r *http.Request, name string) {
	cache := askAgain
	if strings.HasPrefix(name, "assets/") {
		cache = keepForever
	}
	w.Header().Set("Cache-Control", cache)
	if t, ok := contentTypes[path.Ext(name)]; ok {
		w.Header().Set("Content-Type", t)
	}
	http.ServeFileFS(w, r, b.files, name)
}

// contentTypes is what the board consists of. The machine's own table may say
// otherwise, and with nosniff a script of another type does not run.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// notPages are what belongs to programs: there, an unknown address is an error.
var notPages = []string{"/api/", "/assets/", "/-/", "/metrics"}

// isPage tells a browser that opens an address from a program that mistyped one.
func isPage(r *http.Request) bool {
	for _, p := range notPages {
		if strings.HasPrefix(r.URL.Path, p) {
			return false
		}
	}
	return r.URL.Path == "/" || strings.Contains(r.Header.Get("Accept"), "text/html")
}
