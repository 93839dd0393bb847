-- +goose Up
CREATE TABLE ticket (
  id            {{autoid}},
  number        TEXT NOT NULL UNIQUE,
  facility      TEXT NOT NULL,
  kind          TEXT NOT NULL,
  defect        TEXT NOT NULL,
  severity      TEXT NOT NULL,
  state         TEXT NOT NULL,
  opened_at     BIGINT NOT NULL,
  event_at      BIGINT NOT NULL,
  acknowledged_at BIGINT NOT NULL DEFAULT 0,
  acknowledged_by TEXT NOT NULL DEFAULT '',
  closed_at     BIGINT NOT NULL DEFAULT 0,
  closed_by     TEXT NOT NULL DEFAULT '',
  rule          TEXT NOT NULL,
  summary_zh    TEXT NOT NULL,
  summary_en    TEXT NOT NULL,
  channel       TEXT NOT NULL DEFAULT '',
  value         DOUBLE PRECISION,
  limit_value   DOUBLE PRECISION
);
CREATE UNIQUE INDEX ticket_one_open ON ticket (facility, defect) WHERE state <> 'closed';
CREATE INDEX ticket_state ON ticket (state, id);
CREATE TABLE ticket_event (
  id     {{autoid}},
  ticket BIGINT NOT NULL REFERENCES ticket (id),
  at     BIGINT NOT NULL,
  who    TEXT NOT NULL,
  what   TEXT NOT NULL,
  note   TEXT NOT NULL DEFAULT ''
);
CREATE INDEX ticket_event_ticket ON ticket_event (ticket, id);
-- +goose Down
DROP TABLE ticket_event;
DROP TABLE ticket;
