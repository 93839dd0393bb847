-- The quarantine with what is needed to read an entry again, and the account of
-- what it did not keep. kept and size are bytes of the payload, kept and as
-- received; reason is flood, age or bytes; hour is Unix hours.
-- +goose Up
ALTER TABLE quarantine ADD COLUMN flags BIGINT NOT NULL DEFAULT 0;
ALTER TABLE quarantine ADD COLUMN size BIGINT NOT NULL DEFAULT 0;
ALTER TABLE quarantine ADD COLUMN kept BIGINT NOT NULL DEFAULT 0;
ALTER TABLE quarantine ADD COLUMN resolved_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE quarantine ADD COLUMN resolved_by TEXT NOT NULL DEFAULT '';
CREATE INDEX quarantine_age ON quarantine (at, kept);
CREATE INDEX quarantine_device ON quarantine (device, code, id);
CREATE TABLE quarantine_unkept (
  hour   BIGINT NOT NULL,
  device TEXT NOT NULL,
  code   TEXT NOT NULL,
  reason TEXT NOT NULL,
  n      BIGINT NOT NULL,
  PRIMARY KEY (hour, device, code, reason)
);
CREATE INDEX ticket_live ON ticket (state) WHERE state <> 'closed';
-- +goose Down
DROP INDEX ticket_live;
DROP TABLE quarantine_unkept;
DROP INDEX quarantine_device;
DROP INDEX quarantine_age;
ALTER TABLE quarantine DROP COLUMN resolved_by;
ALTER TABLE quarantine DROP COLUMN resolved_at;
ALTER TABLE quarantine DROP COLUMN kept;
ALTER TABLE quarantine DROP COLUMN size;
ALTER TABLE quarantine DROP COLUMN flags;
