-- Channels that no dictionary knows and that were met in the field: the type of
-- a channel is for ever.
-- +goose Up
CREATE TABLE channel_met (
  name TEXT PRIMARY KEY,
  type TEXT NOT NULL,
  at   BIGINT NOT NULL
);
-- +goose Down
DROP TABLE channel_met;
