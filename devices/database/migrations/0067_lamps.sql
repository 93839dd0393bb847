-- How many lamps a facility stands for in the lighting figures; 0 = not said.
-- +goose Up
ALTER TABLE facility ADD COLUMN lamps BIGINT NOT NULL DEFAULT 0;
-- +goose Down
ALTER TABLE facility DROP COLUMN lamps;
