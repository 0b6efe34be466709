"""Products that are found by the name of their category, which may be renamed with any number of
them inside. A batch and the note of how far we are commit together."""

from collections.abc import Callable

from catalog.use_cases.ports import UnitOfWork

# Each may have a description of 20,000 characters, and all of them are locked.
PRODUCTS_AT_ONCE = 200


def index_renamed(unit_of_work: Callable[[], UnitOfWork]) -> bool:
    """Index a batch of products of one renamed category; False if there was none to do."""
    with unit_of_work() as uow:
        was_due = uow.categories.index_renamed(PRODUCTS_AT_ONCE)
        uow.commit()
    return was_due
