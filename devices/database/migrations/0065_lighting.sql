-- The lighting figures. lighting_definition is each version of a definition as it
-- was used; lighting_night is a night that was closed (day: of its dusk; stale: how
-- often something was said of it since; judged: the revision that tickets followed from);
-- lighting_sum is its sums (level: devices.AreaLevel, 10 cabinet, 11 road; unit:
-- lamp-nights or lamp-milliseconds); lamp_finding what a person found on a lamp
-- (ended_at 0 = it lasts). lighting_head counts findings, so that none is missed.
-- +goose Up
CREATE TABLE lighting_definition (
  rate    TEXT NOT NULL,
  version TEXT NOT NULL,
  body    TEXT NOT NULL,
  at      BIGINT NOT NULL,
  PRIMARY KEY (rate, version)
);
CREATE TABLE lighting_night (
  day       TEXT NOT NULL,
  rate      TEXT NOT NULL,
  version   TEXT NOT NULL,
  dusk      BIGINT NOT NULL,
  dawn      BIGINT NOT NULL,
  closed_at BIGINT NOT NULL,
  revision  BIGINT NOT NULL DEFAULT 1,
  stale     BIGINT NOT NULL DEFAULT 0,
  judged    BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (rate, day)
);
CREATE TABLE lighting_sum (
  rate     TEXT NOT NULL,
  level    SMALLINT NOT NULL,
  day      TEXT NOT NULL,
  place    TEXT NOT NULL,
  class    TEXT NOT NULL,
  version  TEXT NOT NULL,
  area     TEXT NOT NULL,
  intact   BIGINT NOT NULL,
  faulty   BIGINT NOT NULL,
  unsure   BIGINT NOT NULL,
  excluded BIGINT NOT NULL,
  PRIMARY KEY (rate, level, day, place, class)
);
CREATE TABLE lamp_finding (
  id       {{autoid}},
  facility TEXT NOT NULL,
  defect   TEXT NOT NULL,
  found_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL DEFAULT 0,
  note     TEXT NOT NULL,
  made_by  TEXT NOT NULL,
  made_at  BIGINT NOT NULL,
  ended_by TEXT NOT NULL DEFAULT '',
  end_note TEXT NOT NULL DEFAULT ''
);
CREATE INDEX lamp_finding_facility ON lamp_finding (facility, id);
CREATE INDEX lamp_finding_ended ON lamp_finding (ended_at, found_at);
CREATE TABLE lighting_head (
  id INTEGER PRIMARY KEY,
  n  BIGINT NOT NULL
);
INSERT INTO lighting_head (id, n) VALUES (1, 0);
-- +goose Down
DROP TABLE lighting_head;
DROP TABLE lamp_finding;
DROP TABLE lighting_sum;
DROP TABLE lighting_night;
DROP TABLE lighting_definition;
