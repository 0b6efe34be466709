"""Which payment a webhook is about, so that those of a customer are found; and the oldest of many
that wait without sorting them."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("ALTER TABLE webhooks ADD COLUMN reference text")
    op.execute("""
        UPDATE webhooks SET reference = (regexp_match(
            encode(body, 'escape'), '"(transaction_)?reference": ?"([^"]+)"'))[2]
        WHERE applied_at IS NOT NULL
    """)
    op.execute("CREATE INDEX webhooks_by_reference ON webhooks (reference)")
    op.execute("""
        DROP INDEX webhooks_to_apply;
        CREATE INDEX webhooks_to_apply ON webhooks (next_attempt_at, id)
            WHERE next_attempt_at IS NOT NULL;
    """)
