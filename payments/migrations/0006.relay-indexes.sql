-- What the relay looks for is found without reading what it is done with.
-- depends: 0005.audit-order
-- transactional: false

-- Nobody waits for these indexes while they are built, so they may wait for transactions that began before them.
SET lock_timeout = '120s';
SET statement_timeout = '600s';

-- One that was interrupted leaves an index that is not valid.
DROP INDEX CONCURRENTLY IF EXISTS idempotency_keys_open;
CREATE INDEX CONCURRENTLY IF NOT EXISTS idempotency_keys_open ON idempotency_keys (recovery_point, created_at, payment_id) WHERE recovery_point <> 'completed';

DROP INDEX CONCURRENTLY IF EXISTS audit_queue_in_order;
CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_queue_in_order ON audit_queue (place NULLS FIRST, payment_id, sequence);

RESET lock_timeout;
RESET statement_timeout;
