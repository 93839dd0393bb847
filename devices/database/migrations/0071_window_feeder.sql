-- Maintenance windows of a feeder; '' = any.
-- +goose Up
ALTER TABLE maintenance ADD COLUMN feeder TEXT NOT NULL DEFAULT '';
-- +goose Down
ALTER TABLE maintenance DROP COLUMN feeder;
