package dashboards

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"lamplighter/dashboards/auth"
	"lamplighter/devices"
	"lamplighter/devices/registry"
)

// maxCensusFile is the largest file that is taken over HTTP; a larger one goes
// through `devices import`.
const maxCensusFile = 48 << 20

// censusRoutes registers what is about the census and its areas.
func (s *Server) censusRoutes(a huma.API) {
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/facilities/{id}/history", "Who changed what about a facility, the newest first", s.facilityHistory)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/areas", "The grid of areas by code", s.areas)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/areas/{code}", "One area with its outline", s.area)
	route(s, a, auth.Viewer, http.MethodGet, "/api/v1/places/{id}", "What an id is that is no facility of the census: an area, a feeder, a cabinet, a circuit, a device, or something that is gone", s.place)
	route(s, a, auth.Admin, http.MethodPost, "/api/v1/census/import", "Import a census file, all or nothing", s.importCensus, takesFile)
}

// takesFile lets an operation take a large body.
func takesFile(op *huma.Operation) {
	op.MaxBodyBytes = maxCensusFile
	op.BodyReadTimeout = -1 // the server's own
}

// change is what stood in a column, and what stands there since.
type change struct {
	Column string `json:"column"`
	Old    string `json:"old"`
	New    string `json:"new"`
}

type historyItem struct {
	ID      string             `json:"id"`
	At      *string            `json:"at"`
	By      string             `json:"by"`
	What    string             `json:"what" enum:"added,changed,gone,password"`
	Changes []change           `json:"changes"`
	Was     *registry.Facility `json:"was,omitempty" doc:"the facility as it was when it was taken out"`
}

func historySorts() sorts[registry.Event] {
	return sorts[registry.Event]{{"at", "", true, func(x *registry.Event) any { return x.ID }}}
}

func (s *Server) facilityHistory(ctx context.Context, in *struct {
	Paging
	ID string `path:"id" maxLength:"64"`
}) (*listed[historyItem], error) {
	t, err := historySorts().begin(in.Paging, keyOf[registry.Event]{"", func(x *registry.Event) any { return x.ID }})
	if err != nil {
		return nil, err
	}
	if !t.order.Desc {
		return nil, invalid("query.order", "this list goes from the latest on: want desc")
	}
	before := int64(0)
	if a := t.order.After; a != nil {
		before, _ = a.Key.(int64)
	}
	id := devices.FacilityID(in.ID)
	events, err := s.opt.Census.History(ctx, id, before, t.limit)
	if err != nil {
		return nil, err
	}
	if len(events) == 0 && before == 0 { // neither now nor ever
		if _, err := s.opt.Census.Facility(ctx, id); err != nil {
			return nil, err
		}
	}
	out := make([]historyItem, 0, len(events))
	for i := range events {
		out = append(out, s.historyItem(&events[i]))
	}
	return answer(ctx, out, t.next(events), nil), nil
}

func (s *Server) historyItem(e *registry.Event) historyItem {
	it := historyItem{ID: strconv.FormatInt(e.ID, 10), At: s.instant(e.At), By: e.By, What: e.What, Changes: []change{}, Was: e.Was}
	for _, c := range e.Columns() {
		it.Changes = append(it.Changes, change{c, e.Changes[c][0], e.Changes[c][1]})
	}
	return it
}

func areaSorts() sorts[registry.Area] {
	return sorts[registry.Area]{{"code", "code", false, func(x *registry.Area) any { return string(x.Code) }}}
}

func (s *Server) areas(ctx context.Context, in *struct {
	Paging
	Parent string `query:"parent" maxLength:"15" doc:"the areas directly below this one"`
	Level  string `query:"level" enum:"city,district,street,community,grid"`
}) (*listed[registry.Area], error) {
	t, err := areaSorts().begin(in.Paging, keyOf[registry.Area]{"code", func(x *registry.Area) any { return string(x.Code) }})
	if err != nil {
		return nil, err
	}
	if t.order.Desc {
		return nil, invalid("query.order", "this list goes by code: want asc")
	}
	f := registry.AreaFilter{Parent: devices.AreaCode(in.Parent), Level: devices.ParseAreaLevel(in.Level), Limit: t.limit}
	if a := t.order.After; a != nil {
		code, _ := a.Key.(string)
		f.After = devices.AreaCode(code)
	}
	list, err := s.opt.Census.Areas(ctx, f)
	if err != nil {
		return nil, err
	}
	return answer(ctx, list, t.next(list), nil), nil
}

func (s *Server) area(ctx context.Context, in *struct {
	Code string `path:"code" maxLength:"15"`
}) (*struct{ Body registry.Area }, error) {
	a, err := s.opt.Census.Area(ctx, devices.AreaCode(in.Code))
	if err != nil {
		return nil, err
	}
	return &struct{ Body registry.Area }{a}, nil
}

func (s *Server) importCensus(ctx context.Context, in *struct {
	Format        string `query:"format" enum:"csv,geojson" default:"csv"`
	DryRun        bool   `query:"dry_run" doc:"find every mistake and change nothing"`
	DeleteMissing bool   `query:"delete_missing" doc:"take facilities out that the file does not have"`
	Yes           bool   `query:"yes" doc:"do so even with more than 1 % of them"`
	RawBody       []byte `contentType:"application/octet-stream" doc:"the file, as CSV or GeoJSON"`
}) (*struct{ Body registry.Report }, error) {
	o := registry.ImportOptions{By: caller(ctx).Name, Format: registry.Format(in.Format), DryRun: in.DryRun, DeleteMissing: in.DeleteMissing}
	if in.Yes {
		o.MayDelete = 1
	}
	rep, err := s.opt.Census.Import(ctx, bytes.NewReader(in.RawBody), o)
	var mistakes *registry.ImportError
	if errors.As(err, &mistakes) {
		return nil, importProblem(mistakes)
	}
	if err != nil {
		return nil, err
	}
	return &struct{ Body registry.Report }{rep}, nil
}

// importProblem tells the mistakes of a file, line by line.
func importProblem(e *registry.ImportError) *Problem {
	p := problemOf(http.StatusUnprocessableEntity, "invalid", fmt.Sprintf("%d mistakes; nothing was imported", len(e.Lines)+e.More))
	p.Field, p.Cure = "body", "mend the lines named in errors and send the file again"
	for _, l := range e.Lines {
		p.Errors = append(p.Errors, Fault{fmt.Sprintf("line %d, %s", l.Line, l.Column), l.Cure, l.Value})
	}
	return p
}
