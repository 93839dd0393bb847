-- What follows from the judging, beside tickets: who is behind a ticket of a
-- common cause, and the loss ledger's gaps.
-- +goose Up
CREATE TABLE ticket_member (
  ticket    BIGINT NOT NULL REFERENCES ticket (id),
  facility  TEXT NOT NULL,
  joined_at BIGINT NOT NULL,
  left_at   BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (ticket, facility)
);
CREATE INDEX ticket_member_facility ON ticket_member (facility, ticket);
CREATE TABLE ticket_number (
  day TEXT PRIMARY KEY,
  n   BIGINT NOT NULL
);
INSERT INTO ticket_number (day, n) SELECT SUBSTR(number, 3, 8), COUNT(*) FROM ticket GROUP BY SUBSTR(number, 3, 8);
CREATE TABLE gap (
  id       {{autoid}},
  device   TEXT NOT NULL,
  boot     TEXT NOT NULL,
  from_seq BIGINT NOT NULL,
  to_seq   BIGINT NOT NULL,
  at       BIGINT NOT NULL,
  came     BIGINT NOT NULL DEFAULT 0,
  came_at  BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX gap_device ON gap (device, boot, to_seq);
CREATE INDEX gap_at ON gap (at);
-- +goose Down
DROP TABLE gap;
DROP TABLE ticket_number;
DROP TABLE ticket_member;
