"""What payments shows to an auditor (see oja_events.books)."""

FACTS = {
    "payments": """
        SELECT reference, order_id, captured_amount, captured_currency,
            next_check_at IS NOT NULL AS watched, coalesce((
                SELECT sum(refund.amount)::bigint FROM refunds AS refund
                WHERE refund.reference = payments.reference AND refund.status <> 'failed'
            ), 0) AS going_back
        FROM payments WHERE reference = ANY(:ids)
    """,
    "deadlines": """
        SELECT order_id, next_look_at IS NOT NULL AS watched
        FROM orders WHERE order_id = ANY(CAST(:ids AS uuid[]))
    """,
    "refunds.since": """
        SELECT refunds.id, reference, refunds.amount, refunds.currency, refunds.status,
            refunds.provider_id, payments.provider_id AS capture_id
        FROM refunds JOIN payments USING (reference)
        WHERE refunds.id > CAST(:after AS uuid) ORDER BY refunds.id LIMIT :limit
    """,
}
