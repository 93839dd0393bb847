package dashboards

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"lamplighter/dashboards/auth"
	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// TestTheDocumentIsWhole holds /api/openapi.json against OpenAPI 3.1: every
// reference leads somewhere, every operation has a name of its own, its path
// parameters, an answer and its errors.
func TestTheDocumentIsWhole(t *testing.T) {
	w := newWorld(t, sqlite(t), nil)
	var doc struct {
		OpenAPI    string
		Info       struct{ Title, Version string }
		Paths      map[string]map[string]json.RawMessage
		Components struct{ Schemas map[string]json.RawMessage }
	}
	a := w.ask("", "GET", "/api/openapi.json", "")
	w.into(a, http.StatusOK, &doc)
	if !strings.HasPrefix(doc.OpenAPI, "3.1.") || doc.Info.Title == "" || doc.Info.Version == "" {
		t.Errorf("openapi %q, info %+v", doc.OpenAPI, doc.Info)
	}
	for _, part := range strings.Split(string(a.body), `"$ref":"`)[1:] {
		ref, _, _ := strings.Cut(part, `"`)
		if name, ok := strings.CutPrefix(ref, "#/components/schemas/"); !ok || doc.Components.Schemas[name] == nil {
			t.Errorf("reference %s leads nowhere", ref)
		}
	}
	names, listed := map[string]bool{}, 0
	for path, item := range doc.Paths {
		for method, raw := range item {
			var op struct {
				OperationID string
				Parameters  []struct{ Name, In string }
				Responses   map[string]struct{ Content map[string]json.RawMessage }
			}
			if err := json.Unmarshal(raw, &op); err != nil {
				t.Fatal(err)
			}
			listed++
			if op.OperationID == "" || names[op.OperationID] {
				t.Errorf("%s %s: operation id %q is missing or stands twice", method, path, op.OperationID)
			}
			names[op.OperationID] = true
			for _, p := range op.Parameters {
				if p.In == "path" && !strings.Contains(path, "{"+p.Name+"}") {
					t.Errorf("%s: no place for parameter %s", path, p.Name)
				}
			}
			for _, code := range []string{"401", "429", "503"} {
				if op.Responses[code].Content["application/problem+json"] == nil {
					t.Errorf("%s %s: no problem for %s", method, path, code)
				}
			}
		}
	}
	if listed != len(routes) {
		t.Errorf("%d operations in the document, %d routes", listed, len(routes))
	}
}

// TestTheExamplesOfThePageWork sends every request of deploy/docs/api.md.
func TestTheExamplesOfThePageWork(t *testing.T) {
	w := newWorld(t, sqlite(t), nil)
	w.facility(registry.Facility{ID: "MH-1", Kind: devices.Manhole}, registry.Facility{ID: "MH-2", Kind: devices.Manhole})
	page, err := os.ReadFile("../deploy/docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(page)) {
		if path, ok := strings.CutPrefix(line, "    GET "); ok {
			n++
			if a := w.ask(auth.Viewer, "GET", strings.TrimSpace(path), ""); a.status != http.StatusOK {
				t.Errorf("%s: %d %s", strings.TrimSpace(path), a.status, a.body)
			}
		}
	}
	if n < 5 {
		t.Errorf("only %d examples", n)
	}
}
