SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

DROP TRIGGER audit_records_batch_unchanged ON audit_records;
ALTER TABLE audit_records DROP COLUMN batch;
ALTER TABLE audit_queue DROP COLUMN place;
