"""Our copy of the products, made anew from all that catalog has told."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from oja_events.contracts import Event
from oja_events.contracts.catalog import ProductArchived, ProductChanged
from ordering.use_cases.ports import UnitOfWork

PRODUCT_NEWS = (ProductChanged, ProductArchived)
PRODUCTS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many products were told of, how many of our copies were wrong, and how many other
    products we know: nobody tells of them any more, so they stay as they are."""

    told: int
    mended: int
    others: int


def rebuild_products(told: Iterable[Event], *, unit_of_work: Callable[[], UnitOfWork]) -> Rebuilt:
    """Compare our copy with the newest news of each product, and mend it where it differs.

    News that comes meanwhile is newer, and wins. A second time there is nothing to mend.
    """
    newest = newest_news(told)
    mended = 0
    # In order, so that two at once cannot lock each other out.
    waiting = iter(sorted(newest))
    while batch := list(islice(waiting, PRODUCTS_AT_ONCE)):
        with unit_of_work() as uow:
            mended += sum(uow.offers.restore(newest[product_id]) for product_id in batch)
            uow.commit()
    with unit_of_work() as uow:
        others = uow.offers.count_others(newest)
    return Rebuilt(told=len(newest), mended=mended, others=others)


def newest_news(told: Iterable[Event]) -> dict[UUID, ProductChanged | ProductArchived]:
    """The news with the highest version of each product."""
    newest: dict[UUID, ProductChanged | ProductArchived] = {}
    for event in told:
        if isinstance(event, ProductChanged | ProductArchived):
            known = newest.get(event.product_id)
            if known is None or known.version < event.version:
                newest[event.product_id] = event
    return newest
