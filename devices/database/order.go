package database

import "fmt"

// Order is a stable order of rows, for lists that are read page by page: by a
// column, and among equals by the row's own key. Column and Key are SQL of ours,
// never a caller's text.
type Order struct {
	Column string
	Key    string // unique; may be Column itself
	Desc   bool
	After  *Place // where the page before ended; nil on the first
}

// Place is a row's place in an Order: the values of its column and key.
type Place struct {
	Value, Key any // string or int64
}

// Where is the condition that passes over the pages before.
func (o Order) Where() (cond string, args []any) {
	if o.After == nil {
		return "1=1", nil
	}
	than := ">"
	if o.Desc {
		than = "<"
	}
	if o.Column == o.Key {
		return fmt.Sprintf("%s %s ?", o.Key, than), []any{o.After.Key}
	}
	return fmt.Sprintf("(%s, %s) %s (?, ?)", o.Column, o.Key, than), []any{o.After.Value, o.After.Key}
}

// By is the ORDER BY clause.
func (o Order) By() string {
	way := ""
	if o.Desc {
		way = " DESC"
	}
	if o.Column == o.Key {
		return "ORDER BY " + o.Key + way
	}
	return "ORDER BY " + o.Column + way + ", " + o.Key + way
}
