-- The chain of audit records, and the changes that it has yet to take in.
-- depends: 0001.payments

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE audit_queue (
    payment_id uuid NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (payment_id, sequence),
    FOREIGN KEY (payment_id, sequence) REFERENCES payment_history
);

CREATE TABLE audit_records (
    position bigint PRIMARY KEY,
    day date NOT NULL,
    number bigint NOT NULL CHECK (number > 0),
    payment_id uuid NOT NULL,
    sequence bigint NOT NULL,
    hash text NOT NULL,
    record text NOT NULL,
    written_at timestamptz,
    UNIQUE (day, number),
    UNIQUE (payment_id, sequence),
    FOREIGN KEY (payment_id, sequence) REFERENCES payment_history
);
COMMENT ON COLUMN audit_records.position IS 'Counts from 1 along the whole chain; "number" does along its day (UTC).';
COMMENT ON COLUMN audit_records.record IS 'The JSON over which the hash was made, byte for byte.';
COMMENT ON COLUMN audit_records.written_at IS 'When the record was written to the audit bucket; the one thing that changes.';

CREATE INDEX audit_records_unwritten ON audit_records (position) WHERE written_at IS NULL;

CREATE TRIGGER audit_records_kept BEFORE DELETE OR TRUNCATE ON audit_records FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_records_unchanged
    BEFORE UPDATE OF position, day, number, payment_id, sequence, hash, record ON audit_records
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
