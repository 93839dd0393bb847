package registry

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
)

// source gives the rows of a file, one after the other.
type source interface {
	// next fills r with the next row; io.EOF after the last. A mistake that is not
	// the end is noted in r.
	next(r *rows) error
}

// csvSource reads CSV (RFC 4180) with a header line.
type csvSource struct {
	cr   *csv.Reader
	head []int // columns, nil before the header was read
}

func newCSV(in io.Reader) *csvSource {
	cr := csv.NewReader(bufio.NewReaderSize(in, 256<<10))
	cr.ReuseRecord = true
	return &csvSource{cr: cr}
}

func (s *csvSource) next(r *rows) error {
	if s.head == nil {
		if err := s.header(r); err != nil {
			return err
		}
	}
	rec, err := s.cr.Read()
	if errors.Is(err, csv.ErrFieldCount) {
		line, _ := s.cr.FieldPos(0)
		r.begin(line)
		r.bad.add(line, "", fmt.Sprint(len(rec), " values"), fmt.Sprintf("want as many as the header has columns: %d; a value with a comma stands in quotation marks", len(s.head)))
		return errSkip
	}
	if err != nil {
		return s.broken(r, err)
	}
	line, _ := s.cr.FieldPos(0)
	r.begin(line)
	for i, v := range rec {
		r.set(s.head[i], v)
	}
	return nil
}

// errSkip says that the row cannot be read, which was noted.
var errSkip = errors.New("row skipped")

// broken notes an error after which nothing more can be read.
func (s *csvSource) broken(r *rows, err error) error {
	var pe *csv.ParseError
	if errors.As(err, &pe) {
		r.bad.add(pe.Line, fmt.Sprint("character ", pe.Column), "", pe.Err.Error()+"; a quotation mark in a value is written twice, and the value stands in quotation marks")
		return io.EOF
	}
	return err
}

func (s *csvSource) header(r *rows) error {
	rec, err := s.cr.Read()
	if errors.Is(err, io.EOF) {
		r.bad.add(1, "", "", "the file is empty; want a header line such as id,kind,name,lon,lat,area")
		return io.EOF
	}
	if err != nil {
		return s.broken(r, err)
	}
	for _, name := range rec {
		i := r.column(1, name)
		if i != ignored && r.used[i] {
			r.bad.add(1, name, name, "the column comes twice; remove one")
		}
		r.used[i] = true
		s.head = append(s.head, i)
	}
	for _, need := range []string{"id", "kind"} {
		if !r.has(need) {
			r.bad.add(1, need, "", "the column is missing; want at least id and kind")
		}
	}
	return nil
}
