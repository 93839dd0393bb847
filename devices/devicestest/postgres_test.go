package devicestest_test

import (
	"testing"

	"lamplighter/devices/database"
	"lamplighter/devices/devicestest"
)

func TestEveryMigrationRunsOnBothDatabases(t *testing.T) {
	devicestest.Databases(t, func(t *testing.T, url string) {
		for range 2 { // the second time there is nothing left to do
			db, err := database.Open(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			var n int
			if err := db.QueryRow(t.Context(), `SELECT COUNT(*) FROM facility`).Scan(&n); err != nil || n != 0 {
				t.Errorf("%d facilities in an empty database: %v", n, err)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
