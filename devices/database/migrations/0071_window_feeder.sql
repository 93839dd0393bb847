-- Maintenance windows of a feeder; '' = any. What hangs on a feeder or a cabinet is
-- asked for by the board.
-- +goose Up
ALTER TABLE maintenance ADD COLUMN feeder TEXT NOT NULL DEFAULT '';
CREATE INDEX facility_feeder ON facility (feeder) WHERE feeder <> '';
CREATE INDEX facility_cabinet ON facility (cabinet, circuit) WHERE cabinet <> '';
-- +goose Down
DROP INDEX facility_cabinet;
DROP INDEX facility_feeder;
ALTER TABLE maintenance DROP COLUMN feeder;
