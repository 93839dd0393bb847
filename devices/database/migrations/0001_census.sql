-- Conventions: instants are BIGINT Unix ms; yes and no are SMALLINT 1 and 0;
-- JSON is TEXT; {{autoid}} is a key that the database counts up.
-- +goose Up
CREATE TABLE facility (
  id          TEXT PRIMARY KEY,
  device      TEXT NOT NULL UNIQUE,
  kind        TEXT NOT NULL,
  component   TEXT NOT NULL DEFAULT '',
  name        TEXT NOT NULL DEFAULT '',
  lon         DOUBLE PRECISION,
  lat         DOUBLE PRECISION,
  area        TEXT NOT NULL DEFAULT '',
  cabinet     TEXT NOT NULL DEFAULT '',
  circuit     TEXT NOT NULL DEFAULT '',
  vendor      TEXT NOT NULL DEFAULT '',
  model       TEXT NOT NULL DEFAULT '',
  expect_s    BIGINT NOT NULL DEFAULT 0,
  in_charge   TEXT NOT NULL DEFAULT '',
  owner       TEXT NOT NULL DEFAULT '',
  maintainer  TEXT NOT NULL DEFAULT '',
  installed   TEXT NOT NULL DEFAULT '',
  condition   TEXT NOT NULL DEFAULT 'intact',
  gateway     TEXT NOT NULL DEFAULT '',
  provisional SMALLINT NOT NULL DEFAULT 0,
  limits      TEXT NOT NULL DEFAULT '{}',
  updated     BIGINT NOT NULL
);
CREATE INDEX facility_kind ON facility (kind, id);
CREATE TABLE census_change (
  id       {{autoid}},
  at       BIGINT NOT NULL,
  who      TEXT NOT NULL,
  facility TEXT NOT NULL,
  gone     SMALLINT NOT NULL DEFAULT 0,
  body     TEXT NOT NULL
);
CREATE TABLE credential (
  device TEXT PRIMARY KEY,
  digest TEXT NOT NULL,
  at     BIGINT NOT NULL
);
-- +goose Down
DROP TABLE credential;
DROP TABLE census_change;
DROP TABLE facility;
