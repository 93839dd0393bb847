-- +goose Up
CREATE TABLE partition_state (
  id           INTEGER PRIMARY KEY,
  epoch        BIGINT NOT NULL,
  rules_seq    BIGINT NOT NULL
);
CREATE TABLE quarantine (
  id       {{autoid}},
  at       BIGINT NOT NULL,
  device   TEXT NOT NULL,
  topic    TEXT NOT NULL,
  source   TEXT NOT NULL,
  received BIGINT NOT NULL,
  code     TEXT NOT NULL,
  path     TEXT NOT NULL,
  msg      TEXT NOT NULL,
  payload  TEXT NOT NULL
);
-- +goose Down
DROP TABLE quarantine;
DROP TABLE partition_state;
