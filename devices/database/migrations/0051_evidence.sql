-- What decided that a ticket opens: JSON, see rules.Evidence; '' = not known.
-- +goose Up
ALTER TABLE ticket ADD COLUMN evidence TEXT NOT NULL DEFAULT '';
-- +goose Down
ALTER TABLE ticket DROP COLUMN evidence;
