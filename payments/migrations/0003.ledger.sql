-- Double entry: rows are only added, and those of a movement sum to zero when their transaction ends.
-- depends: 0001.payments

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE ledger_entries (
    payment_id uuid NOT NULL REFERENCES payments,
    movement text NOT NULL,
    account text NOT NULL,
    amount bigint NOT NULL CHECK (amount <> 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    entered_at timestamptz NOT NULL,
    PRIMARY KEY (payment_id, movement, account)
);
COMMENT ON COLUMN ledger_entries.amount IS 'In the minor unit of the currency; a debit is positive, a credit negative.';
COMMENT ON COLUMN ledger_entries.movement IS 'The state on whose entry the money moved: once in the life of a payment.';

CREATE FUNCTION refuse_unbalanced_movement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM ledger_entries AS entry
        WHERE entry.payment_id = NEW.payment_id AND entry.movement = NEW.movement
        GROUP BY entry.currency
        HAVING sum(entry.amount) <> 0
    ) THEN
        RAISE EXCEPTION 'the ledger entries of payment %, %, do not sum to zero', NEW.payment_id, NEW.movement
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_entries_balanced', TABLE = 'ledger_entries', SCHEMA = TG_TABLE_SCHEMA;
    END IF;
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER ledger_entries_balanced AFTER INSERT ON ledger_entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_unbalanced_movement();

CREATE TRIGGER ledger_entries_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
