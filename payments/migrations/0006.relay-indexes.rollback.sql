SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

DROP INDEX audit_queue_in_order;
DROP INDEX idempotency_keys_open;
