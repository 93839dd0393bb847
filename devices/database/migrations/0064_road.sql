-- The road that a lamp stands on, and its class: expressway, main, secondary or
-- branch; '' = not known.
-- +goose Up
ALTER TABLE facility ADD COLUMN road TEXT NOT NULL DEFAULT '';
ALTER TABLE facility ADD COLUMN road_class TEXT NOT NULL DEFAULT '';
-- +goose Down
ALTER TABLE facility DROP COLUMN road_class;
ALTER TABLE facility DROP COLUMN road;
