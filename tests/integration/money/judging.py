"""What must be true of money and stock: always, and when all has come to rest."""

from typing import Any
from uuid import UUID

from payments.domain.refund import RefundStatus
from tests.integration.money.paystack import Entry
from tests.integration.money.world import SERVICES, World

DELIVERED = ("processing", "shipped", "completed")


def judge_always(world: World) -> None:
    """No unit is sold twice or lost; no money is given back twice."""
    for row in _stock(world):
        assert row.on_hand + row.committed == world.stock[row.sku], row
        assert row.reserved == row.held, row
        assert row.on_hand >= row.reserved, row
    for entry in world.paystack.entries.values():
        assert entry.kept >= 0, entry


def judge_at_rest(world: World) -> None:
    """Every order ended in one of the two ways, and all that was captured is accounted for."""
    judge_always(world)
    assert all(row.reserved == 0 for row in _stock(world))
    for service in SERVICES:
        assert world.services.rows(service, "SELECT reason, error FROM parked_message") == []
    for order_id in world.orders:
        _judge(world, order_id)


def _judge(world: World, order_id: UUID) -> None:
    order = world.row("ordering", order_id)
    stock = world.services.rows(
        "catalog", "SELECT state FROM order_stock WHERE order_id = :id", id=order_id
    )[0].state
    entries = world.entries_of(order_id)
    kept = {entry.reference: entry.kept for entry in entries if entry.kept}
    seen = (order.status, order.payment_status, stock, kept, entries)
    if order.status == "cancelled":
        assert stock in ("released", "rejected"), seen
        assert not kept, seen
        fitting = [entry for entry in entries if _fits(entry, order)]
        assert order.payment_status == ("refunded" if fitting else "unpaid"), seen
    else:
        assert order.status in DELIVERED, seen
        assert stock == "committed", seen
        assert set(kept) == ({order.payment_reference} if order.payment_status == "paid" else set())
        assert order.payment_status in ("paid", "refunded"), seen
    for entry in entries:
        _judge_entry(world, entry, order)


def _judge_entry(world: World, entry: Entry, order: Any) -> None:
    query = "SELECT kind, status, amount FROM refunds WHERE reference = :r"
    ours = world.services.rows("payments", query, r=entry.reference)
    told = _told(world, order.id, entry.reference)
    assert told.count("payment_confirmed") == _fits(entry, order), (entry, told)
    booked = [each for each in entry.refunds if each.status is RefundStatus.PROCESSED]
    done = sorted(row.amount for row in ours if row.status == "processed")
    assert done == sorted(each.amount for each in booked), (entry, ours)
    assert told.count("payment_refunded") >= len(done), (entry, told)
    assert told.count("refund_requested") <= 1, (entry, told)
    if not _fits(entry, order) and entry.captured:
        assert entry.kept == 0, entry
        query = "SELECT kind FROM alerts WHERE about = :about"
        kinds = [row.kind for row in world.services.rows("payments", query, about=entry.reference)]
        assert "charge_mismatch" in kinds, kinds
        assert _told(world, entry.reference, None) == ["payment_alert_raised"] * len(kinds)


def _fits(entry: Entry, order: Any) -> bool:
    return bool(
        entry.captured
        and entry.captured.amount == order.total_amount
        and entry.captured.currency == order.currency
    )


def _told(world: World, subject: UUID | str, reference: str | None) -> list[str]:
    """The events with this subject, of ordering and payments; those that name the reference."""
    names = []
    for service in ("ordering", "payments"):
        rows = world.services.rows(
            service,
            "SELECT type, convert_from(envelope, 'utf8')::jsonb -> 'data' AS data"
            " FROM event_log WHERE subject = :subject ORDER BY id",
            subject=str(subject),
        )
        names += [
            row.type.split(".")[2]
            for row in rows
            if reference in (None, row.data.get("reference"), row.data.get("payment_reference"))
        ]
    return names


def _stock(world: World) -> list[Any]:
    return world.services.rows(
        "catalog",
        """
        SELECT stock.sku, on_hand, reserved,
            coalesce(sum(quantity) FILTER (WHERE state = 'held'), 0) AS held,
            coalesce(sum(quantity) FILTER (WHERE state = 'committed'), 0) AS committed
        FROM stock LEFT JOIN reservations USING (sku)
        WHERE stock.sku = ANY(:skus) GROUP BY stock.sku
        """,
        skus=list(world.stock),
    )
