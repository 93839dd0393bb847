-- The worst words that the receiver of a page knows of: which of the rule's wordings, 0 = none, of which version of the rule set.
-- +goose Up
ALTER TABLE outbox ADD COLUMN words INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN rules TEXT NOT NULL DEFAULT '';
-- +goose Down
ALTER TABLE outbox DROP COLUMN rules;
ALTER TABLE outbox DROP COLUMN words;
