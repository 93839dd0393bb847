-- Since when the ledger of lamps (lamp_exception, lamp_watched) knows those of a
-- partition. Where the rules are older than the ledger they tell it all that they
-- know, once.
-- +goose Up
CREATE TABLE lamp_ledger (
  part  INTEGER PRIMARY KEY,
  since BIGINT NOT NULL
);
-- +goose Down
DROP TABLE lamp_ledger;
