SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

DROP TABLE audit_records;
DROP TABLE audit_queue;
