-- initial: the password is still the one that the first start has printed.
-- +goose Up
ALTER TABLE app_user ADD COLUMN initial SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE app_user ADD COLUMN created BIGINT NOT NULL DEFAULT 0;
ALTER TABLE app_user ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
CREATE INDEX api_key_name ON api_key (kind, name);
CREATE INDEX api_key_expires ON api_key (expires);
-- +goose Down
DROP INDEX api_key_expires;
DROP INDEX api_key_name;
ALTER TABLE app_user DROP COLUMN changed;
ALTER TABLE app_user DROP COLUMN created;
ALTER TABLE app_user DROP COLUMN initial;
