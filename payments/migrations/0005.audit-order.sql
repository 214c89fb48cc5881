-- The relay takes a bite of the audit queue in the order of the queue, and writes the records of a bite as one object.
-- depends: 0004.audit-chain

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

CREATE SEQUENCE audit_queue_place;
-- The default comes after the column, so that no row that is there has to be written: those without a place are the oldest.
ALTER TABLE audit_queue ADD COLUMN place bigint;
ALTER TABLE audit_queue ALTER COLUMN place SET DEFAULT nextval('audit_queue_place');
ALTER SEQUENCE audit_queue_place OWNED BY audit_queue.place;
COMMENT ON COLUMN audit_queue.place IS 'The order in which changes came; none for those that came before there was one.';

ALTER TABLE audit_records ADD COLUMN batch bigint;
COMMENT ON COLUMN audit_records.batch IS 'Position of the last record in the same object of the audit bucket; none for a record that has an object of its own.';

CREATE TRIGGER audit_records_batch_unchanged BEFORE UPDATE OF batch ON audit_records FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
