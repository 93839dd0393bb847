-- Maintenance windows. What rules obey is the record in the log: sent says that
-- it stands there in every partition. Instants are Unix ms; "" = any.
-- +goose Up
CREATE TABLE maintenance (
  id         TEXT PRIMARY KEY,
  facility   TEXT NOT NULL DEFAULT '',
  cabinet    TEXT NOT NULL DEFAULT '',
  circuit    TEXT NOT NULL DEFAULT '',
  area       TEXT NOT NULL DEFAULT '',
  kind       TEXT NOT NULL DEFAULT '',
  rule       TEXT NOT NULL DEFAULT '',
  begins     BIGINT NOT NULL,
  ends       BIGINT NOT NULL,
  reason     TEXT NOT NULL,
  made_by    TEXT NOT NULL,
  made_at    BIGINT NOT NULL,
  ended_at   BIGINT NOT NULL DEFAULT 0,
  ended_by   TEXT NOT NULL DEFAULT '',
  sent       BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX maintenance_ends ON maintenance (ends, id);
-- +goose Down
DROP TABLE maintenance;
