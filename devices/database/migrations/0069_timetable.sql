-- When a lamp should be on (see package timetable), and whether it has power
-- outside of that: always, switched; '' = as its circuit or its cabinet.
-- +goose Up
ALTER TABLE facility ADD COLUMN timetable TEXT NOT NULL DEFAULT '';
ALTER TABLE facility ADD COLUMN supply TEXT NOT NULL DEFAULT '';
-- +goose Down
ALTER TABLE facility DROP COLUMN supply;
ALTER TABLE facility DROP COLUMN timetable;
