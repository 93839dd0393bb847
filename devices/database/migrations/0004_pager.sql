-- +goose Up
CREATE TABLE outbox (
  id         {{autoid}},
  channel    TEXT NOT NULL,
  ticket     BIGINT NOT NULL REFERENCES ticket (id),
  body       TEXT NOT NULL,
  state      TEXT NOT NULL,
  attempts   INTEGER NOT NULL DEFAULT 0,
  next_at    BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  done_at    BIGINT NOT NULL DEFAULT 0,
  last_error TEXT NOT NULL DEFAULT ''
);
CREATE INDEX outbox_pending ON outbox (state, next_at);
-- +goose Down
DROP TABLE outbox;
