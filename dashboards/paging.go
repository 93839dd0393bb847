package dashboards

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"lamplighter/devices/database"
)

// Paging is what every list understands.
type Paging struct {
	Cursor string `query:"cursor" maxLength:"400" doc:"next of the page before"`
	Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"500"`
	Sort   string `query:"sort" maxLength:"20" doc:"what to sort by; each list says what it knows"`
	Order  string `query:"order" enum:"asc,desc"`
}

// page is one page of a list.
type page[T any] struct {
	Items []T     `json:"items"`
	Next  *string `json:"next" doc:"cursor of the next page, null on the last"`
	Total *int    `json:"total,omitempty" doc:"how many match in all, where that is known"`
}

// listed is a page as an answer: Link (RFC 8288) is the address of the next one.
type listed[T any] struct {
	Link string `header:"Link"`
	Body page[T]
}

// sorts is how a list can be sorted; the first is the default.
type sorts[T any] []sortBy[T]

type sortBy[T any] struct {
	name   string
	column string       // SQL
	desc   bool         // unless the caller says otherwise
	value  func(*T) any // string or int64: what column holds for an item
}

// keyOf is the SQL of a list's unique column, and its value for an item.
type keyOf[T any] struct {
	column string
	value  func(*T) any
}

// cursor is a place in a list: opaque to callers.
type cursor struct {
	Sort  string `json:"s"`
	Desc  bool   `json:"d"`
	Value any    `json:"v"`
	Key   any    `json:"k"`
}

// turn is how one page is read.
type turn[T any] struct {
	by    sortBy[T]
	key   keyOf[T]
	order database.Order
	limit int
}

// begin says how to read the page that p asks for.
func (ss sorts[T]) begin(p Paging, key keyOf[T]) (turn[T], error) {
	t := turn[T]{by: ss[0], key: key, limit: p.Limit}
	if p.Sort != "" {
		i := ss.find(p.Sort)
		if i < 0 {
			return t, invalid("query.sort", "sort %q: want %s", p.Sort, strings.Join(ss.names(), ", "))
		}
		t.by = ss[i]
	}
	desc := t.by.desc
	if p.Order != "" {
		desc = p.Order == "desc"
	}
	t.order = database.Order{Column: t.by.column, Key: key.column, Desc: desc}
	if p.Cursor == "" {
		return t, nil
	}
	c, ok := readCursor(p.Cursor)
	var zero T
	if !ok || c.Sort != t.by.name || c.Desc != desc || !alike(c.Value, t.by.value(&zero)) || !alike(c.Key, key.value(&zero)) {
		bad := problemOf(http.StatusUnprocessableEntity, "cursor", "the cursor is none of this list in this order")
		bad.Field = "query.cursor"
		return t, bad
	}
	t.order.After = &database.Place{Value: c.Value, Key: c.Key}
	return t, nil
}

func (ss sorts[T]) find(name string) int {
	for i := range ss {
		if ss[i].name == name {
			return i
		}
	}
	return -1
}

func (ss sorts[T]) names() []string {
	out := make([]string, len(ss))
	for i := range ss {
		out[i] = ss[i].name
	}
	return out
}

// alike tells whether two values are of the same of the two types.
func alike(a, b any) bool {
	_, x := a.(string)
	_, y := b.(string)
	return x == y
}

// after is the cursor that goes on behind an item.
func (t *turn[T]) after(last *T) *string {
	c := cursor{t.by.name, t.order.Desc, t.by.value(last), t.key.value(last)}
	b, err := json.Marshal(c)
	if err != nil {
		return nil // strings and integers always marshal
	}
	s := base64.RawURLEncoding.EncodeToString(b)
	return &s
}

// next is the cursor behind a page: nil when it was not full.
func (t *turn[T]) next(items []T) *string {
	if len(items) < t.limit || len(items) == 0 {
		return nil
	}
	return t.after(&items[len(items)-1])
}

func readCursor(s string) (c cursor, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return c, false
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if d.Decode(&c) != nil {
		return c, false
	}
	for _, v := range []*any{&c.Value, &c.Key} {
		switch x := (*v).(type) {
		case string:
		case json.Number:
			n, err := x.Int64()
			if err != nil {
				return c, false
			}
			*v = n
		default:
			return c, false
		}
	}
	return c, true
}

// answer is a page with its Link.
func answer[T any](ctx context.Context, items []T, next *string, total *int) *listed[T] {
	if items == nil {
		items = []T{}
	}
	out := &listed[T]{Body: page[T]{Items: items, Next: next, Total: total}}
	if u := callOf(ctx).url; next != nil && u != nil {
		q := u.Query()
		q.Set("cursor", *next)
		out.Link = "<" + (&url.URL{Path: u.Path, RawQuery: q.Encode()}).String() + `>; rel="next"`
	}
	return out
}

// place is where an item stands in the order.
func (t *turn[T]) place(x *T) *database.Place {
	return &database.Place{Value: t.by.value(x), Key: t.key.value(x)}
}
