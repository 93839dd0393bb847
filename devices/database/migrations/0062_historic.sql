-- 1: the fault was over before anybody heard of it; opened_at and closed_at are its event times.
-- +goose Up
ALTER TABLE ticket ADD COLUMN historic INTEGER NOT NULL DEFAULT 0;
CREATE INDEX ticket_of_defect ON ticket (facility, defect, event_at);
-- +goose Down
DROP INDEX ticket_of_defect;
ALTER TABLE ticket DROP COLUMN historic;
