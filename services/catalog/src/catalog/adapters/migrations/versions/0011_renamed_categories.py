"""Categories whose products are yet to be found by their new name."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE renamed_categories (
            category_id uuid PRIMARY KEY,
            indexed_to uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
            waits_since timestamptz NOT NULL DEFAULT now()
        );
    """)
