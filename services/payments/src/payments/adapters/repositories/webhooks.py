"""What Paystack told, byte for byte, until it is applied and longer."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from payments.adapters.erasing import NOBODY
from payments.use_cases.ports import Webhook

_KEEP_WEBHOOK = text("""
    INSERT INTO webhooks (key, body, request_id) VALUES (:key, :body, :request_id)
    ON CONFLICT (key) DO NOTHING
""")

_CLAIM_WEBHOOKS = text("""
    WITH due AS (
        SELECT id FROM webhooks WHERE next_attempt_at <= now()
        ORDER BY next_attempt_at, id LIMIT :limit FOR UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE webhooks SET next_attempt_at = now() + interval '15 seconds'
        FROM due WHERE webhooks.id = due.id
        RETURNING webhooks.id, webhooks.body, webhooks.request_id
    )
    SELECT id, body, request_id FROM taken ORDER BY id
""")

# Locks the order, so that it is decided who comes first: this, or the customer's erasure.
_APPLIED = text(f"""
    WITH about AS (
        SELECT contact ->> 'email' AS email FROM orders JOIN payments USING (order_id)
        WHERE payments.reference = :reference FOR SHARE OF orders
    )
    UPDATE webhooks SET applied_at = now(), next_attempt_at = NULL, outcome = :outcome,
        reference = :reference,
        body = CASE WHEN (SELECT email FROM about) LIKE '%{NOBODY}' THEN '' ELSE body END
    WHERE id = :id
""")  # noqa: S608  # nosec B608


class SqlWebhookRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def keep(self, key: str, body: bytes, request_id: str) -> None:
        values = {"key": key, "body": body, "request_id": request_id}
        self._session.execute(_KEEP_WEBHOOK, values)

    def claim(self, limit: int) -> list[Webhook]:
        rows = self._session.execute(_CLAIM_WEBHOOKS, {"limit": limit})
        return [Webhook(row.id, bytes(row.body), row.request_id) for row in rows]

    def applied(self, webhook_id: int, outcome: str, reference: str | None) -> None:
        values = {"id": webhook_id, "outcome": outcome, "reference": reference}
        self._session.execute(_APPLIED, values)
