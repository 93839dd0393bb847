-- The history says what was changed (added, changed, gone, password) and what
-- stood there before; the state of now stands in facility. Who writes to the
-- census holds the row of census_head until the commit, so that the numbers of
-- changes become visible in order.
-- +goose Up
ALTER TABLE census_change ADD COLUMN what TEXT NOT NULL DEFAULT 'changed';
ALTER TABLE census_change RENAME COLUMN body TO detail;
UPDATE census_change SET detail='';
UPDATE census_change SET what='gone' WHERE gone=1;
ALTER TABLE census_change DROP COLUMN gone;
CREATE INDEX census_change_facility ON census_change (facility, id);
CREATE INDEX facility_area ON facility (area, id);
CREATE TABLE census_head (
  id INTEGER PRIMARY KEY,
  n  BIGINT NOT NULL
);
INSERT INTO census_head (id, n) VALUES (1, 0);
-- +goose Down
DROP TABLE census_head;
DROP INDEX facility_area;
DROP INDEX census_change_facility;
ALTER TABLE census_change ADD COLUMN gone SMALLINT NOT NULL DEFAULT 0;
UPDATE census_change SET gone=1 WHERE what='gone';
ALTER TABLE census_change RENAME COLUMN detail TO body;
ALTER TABLE census_change DROP COLUMN what;
