-- Why a line of a ticket's history came about: JSON of rules.Evidence, '' = not kept.
-- +goose Up
ALTER TABLE ticket_event ADD COLUMN evidence TEXT NOT NULL DEFAULT '';
-- +goose Down
ALTER TABLE ticket_event DROP COLUMN evidence;
