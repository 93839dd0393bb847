-- +goose Up
CREATE TABLE app_user (
  name     TEXT PRIMARY KEY,
  role     TEXT NOT NULL,
  password TEXT NOT NULL
);
CREATE TABLE api_key (
  digest  TEXT PRIMARY KEY,
  kind    TEXT NOT NULL,
  name    TEXT NOT NULL,
  role    TEXT NOT NULL,
  csrf    TEXT NOT NULL,
  created BIGINT NOT NULL,
  expires BIGINT NOT NULL
);
-- +goose Down
DROP TABLE api_key;
DROP TABLE app_user;
