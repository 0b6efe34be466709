"""What follows from changed stock, whoever changed it."""

from collections.abc import Sequence

from catalog.domain.stock import Change
from catalog.use_cases.ports import UnitOfWork


def tell_levels(changes: Sequence[Change], *, uow: UnitOfWork, always: bool = False) -> None:
    """Tell of crossed thresholds, and of products that sold out or are back (or of all)."""
    now = uow.now()
    if crossing := [change for change in changes if change.crosses]:
        labels = uow.stock.labels([change.sku for change in crossing])
        uow.tell(*(change.crossing(labels[change.sku], now) for change in crossing))
    touched = {change.product_id for change in changes if always or change.sells_out_or_returns}
    for product in uow.products.touched(touched):
        product.tell(now)
        uow.products.save(product)
