-- What the lighting figures are made of. lamp_exception is when a lamp did not
-- stand well (standing faulty, unknown or maintenance; reason: the rules, with
-- commas; ended 0 = it lasts), lamp_watched since when it was heard at all,
-- lamp_away when a partition of the log was not judged, so that nothing is known of
-- its lamps. wall is the wall clock up to which a partition was judged.
-- +goose Up
ALTER TABLE partition_state ADD COLUMN wall BIGINT NOT NULL DEFAULT 0;
CREATE TABLE lamp_exception (
  id       {{autoid}},
  facility TEXT NOT NULL,
  standing TEXT NOT NULL,
  reason   TEXT NOT NULL,
  began    BIGINT NOT NULL,
  ended    BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX lamp_exception_open ON lamp_exception (facility) WHERE ended = 0;
CREATE INDEX lamp_exception_facility ON lamp_exception (facility, began);
CREATE INDEX lamp_exception_ended ON lamp_exception (ended, began);
CREATE TABLE lamp_watched (
  facility TEXT PRIMARY KEY,
  since    BIGINT NOT NULL
);
CREATE TABLE lamp_away (
  part  INTEGER NOT NULL,
  began BIGINT NOT NULL,
  ended BIGINT NOT NULL,
  PRIMARY KEY (part, began)
);
CREATE INDEX ticket_facility ON ticket (facility, id);
-- +goose Down
DROP INDEX ticket_facility;
DROP TABLE lamp_away;
DROP TABLE lamp_watched;
DROP TABLE lamp_exception;
ALTER TABLE partition_state DROP COLUMN wall;
