from uuid import uuid4

import pytest

from catalog.domain.stock import Change, Label
from oja_events.contracts.catalog import StockLow, StockReplenished
from tests.unit.catalog.builders import NOW

LABEL = Label("Basket", {"size": "Small"})


def a_change(before, after, threshold=5):
    return Change(
        sku="BOLGA-S",
        product_id=uuid4(),
        quantity=abs(after - before),
        before=before,
        after=after,
        threshold=threshold,
    )


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (7, 6, None),
        (6, 5, StockLow),
        (9, 0, StockLow),
        (5, 4, None),
        (4, 5, None),
        (5, 6, StockReplenished),
        (0, 9, StockReplenished),
        (5, 5, None),
    ],
)
def test_only_a_crossing_of_the_threshold_is_news(before, after, told):
    change = a_change(before, after)

    news = [change.crossing(LABEL, NOW)] if change.crosses else []
    assert [type(event) for event in news] == ([told] if told else [])


def test_the_news_says_of_what_there_is_how_much():
    change = a_change(6, 3)

    assert change.crossing(LABEL, NOW) == StockLow(
        sku="BOLGA-S",
        product_id=change.product_id,
        name="Basket",
        options={"size": "Small"},
        available=3,
        threshold=5,
        at=NOW,
    )


@pytest.mark.parametrize(
    ("before", "after", "matters"), [(1, 0, True), (0, 2, True), (2, 1, False), (0, 0, False)]
)
def test_customers_care_when_it_sells_out_or_is_back(before, after, matters):
    assert a_change(before, after).sells_out_or_returns is matters
