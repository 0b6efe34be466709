"""Products, orders and news, with the details that a test does not care about."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from catalog.domain.product import ProductStatus, Variant
from catalog.domain.stock import Terms
from catalog.domain.values import Money
from catalog.use_cases import commands
from catalog.use_cases.commands import ProductDraft, VariantDraft
from catalog.use_cases.ports import UnitOfWork
from oja_events import contracts
from oja_events.contracts.ordering import OrderCancelled, OrderPlaced
from oja_events.contracts.payments import PaymentConfirmed

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
NAIRA = contracts.Money(amount=100, currency="NGN")
ADA = contracts.Contact(email="ada@example.com", name="Ada Obi")


def a_sku() -> str:
    return f"SKU-{uuid4().hex[:12]}"


def a_variant(
    sku: str | None = None,
    *,
    stock: int = 0,
    threshold: int | None = None,
    amount: int = 150_000,
    currency: str = "NGN",
    **options: str,
) -> VariantDraft:
    price = Money(amount, currency)
    return VariantDraft(
        Variant(sku=sku or a_sku(), price=price, options=options), Terms(stock, threshold)
    )


def a_draft(*variants: VariantDraft, **changes: Any) -> ProductDraft:
    draft: ProductDraft = {
        "name": "Ankara print",
        "status": ProductStatus.PUBLISHED,
        "variants": variants or (a_variant(),),
    }
    draft.update(changes)  # type: ignore[typeddict-item]
    return draft


def offer(uow: UnitOfWork, *variants: VariantDraft, **changes: Any) -> UUID:
    """Put a product with these variants into the shop."""
    return commands.create_product(
        a_draft(*variants, **changes), by="staff", currency="NGN", uow=uow
    )


def order_placed(order_id: UUID, wanted: Mapping[str, int]) -> OrderPlaced:
    return OrderPlaced(**_order(order_id, wanted), placed_at=NOW, pay_before=NOW)


def order_cancelled(order_id: UUID) -> OrderCancelled:
    return OrderCancelled(
        **_order(order_id, {}), reason="customer", was_paid=False, cancelled_at=NOW
    )


def payment_confirmed(order_id: UUID) -> PaymentConfirmed:
    return PaymentConfirmed(
        order_id=order_id,
        number="OJ-100001",
        contact=ADA,
        reference=uuid4().hex,
        amount=NAIRA,
        channel="card",
        paid_at=NOW,
    )


def _order(order_id: UUID, wanted: Mapping[str, int]) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "number": "OJ-100001",
        "customer_id": uuid4(),
        "contact": ADA,
        "total": NAIRA,
        "lines": tuple(
            contracts.Line(
                sku=sku, product_id=uuid4(), name="Cloth", quantity=quantity, unit_price=NAIRA
            )
            for sku, quantity in wanted.items()
        ),
    }
