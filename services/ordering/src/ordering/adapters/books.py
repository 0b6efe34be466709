"""What ordering shows to an auditor (see oja_events.books)."""

_ORDER = """
    SELECT id AS order_id, status, payment_status, payment_reference, total_amount, currency,
        paid_at IS NOT NULL AS paid, shipped_at IS NOT NULL AS shipped,
        completed_at IS NOT NULL AS completed, cancelled_at IS NOT NULL AS cancelled,
        ARRAY(SELECT jsonb_object_keys(refunds_done)) AS refunds,
        (SELECT jsonb_agg(jsonb_build_object('sku', line -> 'sku', 'quantity', line -> 'quantity'))
         FROM jsonb_array_elements(lines) AS line) AS lines
    FROM orders
"""

FACTS = {
    "orders": f"{_ORDER} WHERE id = ANY(CAST(:ids AS uuid[]))",
    "orders.since": f"{_ORDER} WHERE id > CAST(:after AS uuid) ORDER BY id LIMIT :limit",
}
