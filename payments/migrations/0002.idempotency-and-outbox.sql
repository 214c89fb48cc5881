-- What a caller's key stands for, and what is still to be told to the world outside the database.
-- depends: 0001.payments

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE idempotency_keys (
    merchant text NOT NULL,
    key text NOT NULL,
    digest bytea NOT NULL,
    payment_id uuid NOT NULL UNIQUE REFERENCES payments,
    answer text NOT NULL,
    recovery_point text NOT NULL DEFAULT 'payment_created' CHECK (recovery_point IN ('payment_created', 'work_queued', 'completed')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (merchant, key)
) WITH (fillfactor = 80);
COMMENT ON COLUMN idempotency_keys.digest IS 'SHA-256 of the request.';
COMMENT ON COLUMN idempotency_keys.answer IS 'What the first request was answered, byte for byte.';

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('work', 'state')),
    payment_id uuid NOT NULL,
    sequence bigint NOT NULL,
    attempts bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    FOREIGN KEY (payment_id, sequence) REFERENCES payment_history
) WITH (fillfactor = 80);

CREATE INDEX outbox_unsent ON outbox (kind, attempts, id) WHERE sent_at IS NULL;
CREATE INDEX outbox_unsent_of_payment ON outbox (payment_id) WHERE sent_at IS NULL;
CREATE INDEX outbox_sent ON outbox (sent_at) WHERE sent_at IS NOT NULL;
