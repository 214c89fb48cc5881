SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

DROP TABLE payment_history;
DROP TABLE payments;
DROP TABLE allowed_transitions;
DROP FUNCTION refuse_forbidden_transition;
DROP FUNCTION refuse_change;
