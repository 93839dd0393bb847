-- The four-level grid with its outlines.
-- +goose Up
CREATE TABLE area (
  code    TEXT PRIMARY KEY,
  name    TEXT NOT NULL DEFAULT '',
  level   SMALLINT NOT NULL,
  parent  TEXT NOT NULL DEFAULT '',
  outline TEXT NOT NULL DEFAULT '',
  west    DOUBLE PRECISION,
  south   DOUBLE PRECISION,
  east    DOUBLE PRECISION,
  north   DOUBLE PRECISION,
  updated BIGINT NOT NULL
);
CREATE INDEX area_parent ON area (parent, code);
CREATE TABLE area_change (
  id     {{autoid}},
  at     BIGINT NOT NULL,
  who    TEXT NOT NULL,
  area   TEXT NOT NULL,
  what   TEXT NOT NULL,
  detail TEXT NOT NULL DEFAULT ''
);
-- +goose Down
DROP TABLE area_change;
DROP TABLE area;
