// Package pager sends pages: a transactional outbox and a sender of signed
// webhooks. A page is written in the transaction that caused it and sent at
// least once; its Idempotency-Key makes that exactly once at the receiver.
//
// Each channel has a sender of its own, so that one that hangs holds up no
// other. A sender claims a page in the database before it sends: of several
// daemons on one database, one sends.
//
// # The webhook
//
// POST with a JSON body and the headers
//
//	Idempotency-Key: lamplighter-<outbox id>        the same on every attempt
//	Lamplighter-Signature: t=<unix s>,v1=<hex>      HMAC-SHA256 of "<t>.<body>" under the channel's secret
//
// 2xx is success. 429, 5xx and network failures are tried again for 24 hours;
// any other answer fails the page at once. Per ticket and channel, pages are
// sent in order.
package pager
