-- +goose Up
CREATE INDEX outbox_ticket ON outbox (ticket);
-- +goose Down
DROP INDEX outbox_ticket;
