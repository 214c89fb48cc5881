"""The statements that payments live by. Each does all of its work at once; the server prepares each once per connection."""

from __future__ import annotations

from typing import LiteralString

from psycopg.errors import UniqueViolation

REFERENCE_CONSTRAINT = "payments_merchant_reference"
"""Name of the constraint by which a reference belongs to one payment of a merchant."""

FIND_KEY: LiteralString = """
SELECT payment_id, digest, answer, (SELECT min(id) FROM outbox WHERE outbox.payment_id = keys.payment_id AND kind = 'work' AND sent_at IS NULL)
FROM idempotency_keys AS keys WHERE merchant = %(merchant)s AND key = %(key)s
"""

# A key that another transaction is inserting is waited for; where that one commits, this statement inserts nothing and, as it sees the
# database as it was when it began, finds nothing. Both halves answer only where the key was there, was reaped, and was taken again meanwhile:
# then the first row, which is the new payment, counts.
_TAKE_KEY: LiteralString = """
WITH taken AS (
    INSERT INTO idempotency_keys (merchant, key, digest, payment_id, answer)
    VALUES (%(merchant)s, %(key)s, %(digest)s, %(payment_id)s, %(answer)s)
    ON CONFLICT (merchant, key) DO NOTHING
    RETURNING payment_id, digest, answer
), payment AS (
    INSERT INTO payments (payment_id, merchant, amount, currency, payment_token, reference, session_id, metadata, state, sequence, changed_at)
    SELECT payment_id, %(merchant)s, %(amount)s, %(currency)s, %(payment_token)s, %(reference)s, %(session_id)s, %(metadata)s, 'received', 1, now()
    FROM taken
    RETURNING payment_id, sequence, state, changed_at
), change AS (
    INSERT INTO payment_history (payment_id, sequence, state, occurred_at, correlation_id)
    SELECT payment_id, sequence, state, changed_at, %(correlation_id)s FROM payment
), audited AS (
    INSERT INTO audit_queue (payment_id, sequence) SELECT payment_id, sequence FROM payment
), told AS (
    INSERT INTO outbox (kind, payment_id, sequence) SELECT kind, payment_id, sequence FROM payment CROSS JOIN (VALUES ('work'), ('state')) AS kinds (kind)
    RETURNING id, kind
)
SELECT payment_id, digest, answer, (SELECT id FROM told WHERE kind = 'work') FROM taken
UNION ALL
"""
ACCEPT: LiteralString = _TAKE_KEY + FIND_KEY

# Metadata may have 32 KiB: it comes with the first change alone.
_COLUMNS: LiteralString = """
SELECT payments.payment_id, change.sequence, change.state, change.occurred_at, change.correlation_id, change.reason,
    merchant, amount, currency, payment_token, reference, session_id, CASE change.sequence WHEN 1 THEN metadata END,
    payments.state, payments.processor, payments.processor_reference
FROM payments JOIN payment_history AS change USING (payment_id)
"""
FIND_BY_ID: LiteralString = _COLUMNS + "WHERE payments.payment_id = %(payment_id)s AND merchant = %(merchant)s ORDER BY change.sequence"
FIND_BY_REFERENCE: LiteralString = _COLUMNS + "WHERE reference = %(reference)s AND merchant = %(merchant)s ORDER BY change.sequence"
LOAD: LiteralString = _COLUMNS + "WHERE payments.payment_id = ANY(%(payment_ids)s) ORDER BY payments.payment_id, change.sequence"

# Payments are locked in the order of their ids, so that two batches with the same payments wait for one another instead of blocking each other.
# Nobody's clock goes back in a payment's history: a transaction that began earlier may come later.
ADVANCE: LiteralString = """
WITH step AS (
    SELECT * FROM unnest(
        %(payment_ids)s::uuid[], %(befores)s::text[], %(afters)s::text[], %(correlation_ids)s::text[],
        %(reasons)s::text[], %(processors)s::text[], %(processor_references)s::text[]
    ) AS step (payment_id, before, after, correlation_id, reason, processor, processor_reference)
), locked AS (
    SELECT payments.payment_id FROM payments JOIN step USING (payment_id) WHERE payments.state = step.before
    ORDER BY payments.payment_id FOR NO KEY UPDATE OF payments
), moved AS (
    UPDATE payments SET
        state = step.after,
        sequence = payments.sequence + 1,
        processor = coalesce(step.processor, payments.processor),
        processor_reference = coalesce(step.processor_reference, payments.processor_reference),
        changed_at = greatest(clock_timestamp(), payments.changed_at + interval '1 microsecond')
    FROM step JOIN locked USING (payment_id)
    WHERE payments.payment_id = step.payment_id AND payments.state = step.before
    RETURNING payments.payment_id, payments.sequence, payments.state, payments.changed_at, payments.merchant, payments.processor,
        payments.processor_reference, payments.amount, payments.currency, step.correlation_id, step.reason
), change AS (
    INSERT INTO payment_history (payment_id, sequence, state, occurred_at, correlation_id, reason, processor, processor_reference)
    SELECT payment_id, sequence, state, changed_at, correlation_id, reason, processor, processor_reference FROM moved
), audited AS (
    INSERT INTO audit_queue (payment_id, sequence) SELECT payment_id, sequence FROM moved
), told AS (
    INSERT INTO outbox (kind, payment_id, sequence) SELECT 'state', payment_id, sequence FROM moved
), entered AS (
    INSERT INTO ledger_entries (payment_id, movement, account, amount, currency, entered_at)
    SELECT payment_id, state, leg.holder || ':' || CASE leg.holder WHEN 'processor' THEN processor ELSE merchant END,
        leg.sign * amount, currency, changed_at
    FROM moved JOIN unnest(%(movements)s::text[], %(holders)s::text[], %(signs)s::bigint[]) AS leg (movement, holder, sign) ON leg.movement = moved.state
), completed AS (
    UPDATE idempotency_keys SET recovery_point = 'completed' FROM moved
    WHERE idempotency_keys.payment_id = moved.payment_id AND moved.state = ANY(%(final)s::text[]) AND recovery_point <> 'completed'
)
SELECT payment_id FROM moved
"""

__all__ = ["ACCEPT", "ADVANCE", "FIND_BY_ID", "FIND_BY_REFERENCE", "FIND_KEY", "LOAD", "REFERENCE_CONSTRAINT", "UniqueViolation"]
