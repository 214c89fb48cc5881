SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

DROP TABLE ledger_entries;
DROP FUNCTION refuse_unbalanced_movement;
