"""Telling anew what the journal does not tell any more, for those who make their copy anew."""

from collections.abc import Callable

from catalog.use_cases.ports import UnitOfWork

PRODUCTS_AT_ONCE = 50


def retell_products(unit_of_work: Callable[[], UnitOfWork]) -> int:
    """Tell the present state of every product whose last news is older than the journal; how many
    those were. A second time there are none."""
    told = 0
    while True:
        with unit_of_work() as uow:
            products = uow.products.forgotten(PRODUCTS_AT_ONCE)
            for product in products:
                product.retell(uow.now())
                uow.products.save(product)
            uow.commit()
        told += len(products)
        if len(products) < PRODUCTS_AT_ONCE:
            return told
