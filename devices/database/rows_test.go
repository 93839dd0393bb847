package database_test

import (
	"errors"
	"slices"
	"testing"

	"lamplighter/devices"
	"lamplighter/devices/database"
	"lamplighter/devices/devicestest"
)

func TestRowsAreReadToTheEndOrToTheFirstError(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		db, err := database.Open(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		number := func(row database.Row) (n int, err error) {
			err = row.Scan(&n)
			return n, err
		}
		const three = `SELECT CAST(1 AS BIGINT) AS n UNION ALL SELECT 2 UNION ALL SELECT 3 ORDER BY n`
		if ns, err := database.All(t.Context(), db, number, three); err != nil || !slices.Equal(ns, []int{1, 2, 3}) {
			t.Errorf("%v, %v", ns, err)
		}
		if ns, err := database.All(t.Context(), db, number, `SELECT 1 WHERE 1=0`); err != nil || ns == nil || len(ns) > 0 {
			t.Errorf("of no rows %v, %v", ns, err)
		}
		enough, seen := errors.New("enough"), 0
		err = database.Each(t.Context(), db, func(database.Row) error {
			seen++
			return enough
		}, three)
		if !errors.Is(err, enough) || seen != 1 {
			t.Errorf("after %d rows %v", seen, err)
		}
		if _, err := database.All(t.Context(), db, number, `SELECT n FROM no_such_table`); err == nil {
			t.Error("a table that is not there was read")
		}
		var n int
		if err := database.Found(db.QueryRow(t.Context(), `SELECT 1 WHERE 1=0`).Scan(&n)); !errors.Is(err, devices.ErrNotFound) {
			t.Errorf("what is not there: %v", err)
		}
		if err := database.Found(db.QueryRow(t.Context(), `SELECT 7`).Scan(&n)); err != nil || n != 7 {
			t.Errorf("%d, %v", n, err)
		}
	})
}
