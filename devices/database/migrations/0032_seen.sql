-- Devices that were not let in: seen, not in the census.
-- +goose Up
CREATE TABLE seen_device (
  device   TEXT PRIMARY KEY,
  source   TEXT NOT NULL,
  reason   TEXT NOT NULL,
  first_at BIGINT NOT NULL,
  last_at  BIGINT NOT NULL,
  n        BIGINT NOT NULL
);
-- +goose Down
DROP TABLE seen_device;
