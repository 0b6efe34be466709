"""What migrations make of rows that releases before have left."""

from importlib import import_module
from uuid import uuid4

import pytest
from sqlalchemy import text


@pytest.fixture
def upgrade(deps, monkeypatch):
    """Run one migration over what is there now."""

    def run(name):
        step = import_module(f"catalog.adapters.migrations.versions.{name}")
        with deps.engine.begin() as connection:
            monkeypatch.setattr(step, "op", Op(connection))
            step.upgrade()

    return run


class Op:
    def __init__(self, connection):
        self._connection = connection

    def execute(self, statement):
        self._connection.execute(text(statement))


def test_staff_are_named_by_id_where_the_audit_log_knows_them(deps, staff, shop, upgrade):
    sku = staff.create().json["variants"][0]["sku"]
    for delta in (3, 4):
        url = f"/api/admin/inventory/{sku}/adjustments"
        staff.open("POST", url, json={"delta": delta, "reason": "correction"})
    query = "SELECT by FROM stock_movements WHERE sku = :sku ORDER BY id"
    named = shop.rows(query, sku=sku)
    with deps.engine.begin() as connection:
        by = f"staff {uuid4().hex}@example.com"
        connection.execute(
            text("UPDATE stock_movements SET by = :by WHERE sku = :sku"), {"by": by, "sku": sku}
        )

    upgrade("0010_staff_by_id")

    assert shop.rows(query, sku=sku) == named


def test_what_came_late_of_those_who_left_before_goes(deps, shop, upgrade):
    customer = uuid4()
    with deps.engine.begin() as connection:
        connection.execute(text("DROP TABLE erasures"))
        connection.execute(
            text("""
                INSERT INTO inbox (event_id, source, type, subject, sequence, outcome)
                VALUES (gen_random_uuid(), '/identity', 'oja.identity.customer_erased.v1',
                    CAST(:id AS text), 1, 'applied')
            """),
            {"id": customer},
        )
        connection.execute(
            text("INSERT INTO purchases VALUES (:id, gen_random_uuid(), now())"), {"id": customer}
        )

    upgrade("0008_erasures")

    assert shop.rows("SELECT FROM purchases WHERE customer_id = :id", id=customer) == []
    with deps.unit_of_work() as uow:
        assert uow.erasures.has_left(customer)
