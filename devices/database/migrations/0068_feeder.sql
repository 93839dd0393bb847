-- The feeder (馈线) that supplies a facility; '' = not known, or that of its
-- cabinet's row.
-- +goose Up
ALTER TABLE facility ADD COLUMN feeder TEXT NOT NULL DEFAULT '';
-- +goose Down
ALTER TABLE facility DROP COLUMN feeder;
