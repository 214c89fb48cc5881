-- Payments, their histories, and which way a payment may go.

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE allowed_transitions (
    before text,
    after text NOT NULL,
    UNIQUE NULLS NOT DISTINCT (before, after)
);
COMMENT ON TABLE allowed_transitions IS 'The same as TRANSITIONS in payments/domain/payment.py; a row without "before" is where a payment begins.';

INSERT INTO allowed_transitions (before, after) VALUES
    (NULL, 'received'),
    ('received', 'submitted'),
    ('submitted', 'authorized'),
    ('submitted', 'declined'),
    ('submitted', 'failed'),
    ('authorized', 'captured'),
    ('authorized', 'failed'),
    ('captured', 'refunded');

CREATE TABLE payments (
    payment_id uuid PRIMARY KEY,
    merchant text NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    payment_token text NOT NULL,
    reference text NOT NULL,
    session_id text,
    -- Not jsonb, which has no NUL characters and fewer numbers than JSON: what came in is what is kept.
    metadata json NOT NULL,
    state text NOT NULL,
    sequence bigint NOT NULL,
    processor text,
    processor_reference text,
    changed_at timestamptz NOT NULL,
    CONSTRAINT payments_merchant_reference UNIQUE (merchant, reference)
) WITH (fillfactor = 80);
COMMENT ON COLUMN payments.amount IS 'In the minor unit of the currency.';
COMMENT ON COLUMN payments.sequence IS 'Of the last change in payment_history.';

CREATE TABLE payment_history (
    payment_id uuid NOT NULL REFERENCES payments,
    sequence bigint NOT NULL,
    state text NOT NULL,
    occurred_at timestamptz NOT NULL,
    correlation_id text NOT NULL,
    reason text,
    processor text,
    processor_reference text,
    PRIMARY KEY (payment_id, sequence)
);
COMMENT ON COLUMN payment_history.processor IS 'As the payment had it after the change, like processor_reference.';

CREATE FUNCTION refuse_forbidden_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM allowed_transitions AS allowed
        WHERE allowed.after = NEW.state AND allowed.before IS NOT DISTINCT FROM CASE TG_OP WHEN 'UPDATE' THEN OLD.state END
    ) THEN
        RAISE EXCEPTION 'payment %: % -> % is no transition', NEW.payment_id, CASE TG_OP WHEN 'UPDATE' THEN OLD.state END, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'allowed_transitions', TABLE = 'payments', SCHEMA = TG_TABLE_SCHEMA;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER payments_begin BEFORE INSERT ON payments FOR EACH ROW EXECUTE FUNCTION refuse_forbidden_transition();
CREATE TRIGGER payments_transition BEFORE UPDATE OF state ON payments FOR EACH ROW EXECUTE FUNCTION refuse_forbidden_transition();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%: rows are added, never changed or removed (% was refused)', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA;
END
$$;

CREATE TRIGGER payment_history_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_history FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payments_kept BEFORE DELETE OR TRUNCATE ON payments FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
