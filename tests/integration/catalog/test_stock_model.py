"""The shop in memory and the real one, side by side through random stories."""

from typing import ClassVar
from uuid import uuid4

import hypothesis.strategies as st
from hypothesis import Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from catalog.bootstrap import Dependencies
from catalog.use_cases.errors import NotEnoughStock, TooEarly
from tests.integration.catalog.conftest import new_shop
from tests.integration.catalog.test_stock import assert_books_are_right
from tests.unit.catalog.builders import a_sku, a_variant, offer
from tests.unit.catalog.fakes import FakeShop
from tests.unit.catalog.stock_contract import adjust, cancel, pay, place

LINES = st.dictionaries(st.integers(0, 1), st.integers(1, 4), min_size=1)
ORDERS = st.integers(0, 5)


class TwoShops(RuleBasedStateMachine):
    deps: ClassVar[Dependencies]

    @initialize(stocks=st.tuples(st.integers(0, 6), st.integers(0, 6)))
    def open(self, stocks):
        self.shops = (FakeShop(), new_shop(self.deps))
        self.orders = [uuid4() for _ in range(6)]
        self.skus = sorted(a_sku() for _ in stocks)
        variants = [
            a_variant(sku, stock=stock, threshold=2, size=sku)
            for sku, stock in zip(self.skus, stocks, strict=True)
        ]
        for shop in self.shops:
            offer(shop.uow(), *variants)

    @rule(n=ORDERS, lines=LINES)
    def order_is_placed(self, n, lines):
        wanted = {self.skus[line]: quantity for line, quantity in lines.items()}
        self.in_both(lambda shop: place(shop, wanted, self.orders[n]))

    @rule(n=ORDERS)
    def order_is_cancelled(self, n):
        self.in_both(lambda shop: cancel(shop, self.orders[n]))

    @rule(n=ORDERS)
    def payment_comes(self, n):
        self.in_both(lambda shop: pay(shop, self.orders[n]))

    @rule(line=st.integers(0, 1), delta=st.integers(-4, 4).filter(bool))
    def staff_count(self, line, delta):
        self.in_both(lambda shop: adjust(shop, self.skus[line], delta))

    @invariant()
    def both_shops_agree(self):
        memory, real = self.shops
        for sku in self.skus:
            assert memory.level(sku) == real.level(sku)
            assert memory.movements(sku) == real.movements(sku)
        assert [plain(event) for event in memory.told()] == [plain(event) for event in real.told()]
        assert_books_are_right(real, *self.skus)

    def in_both(self, deed):
        outcomes = [outcome(deed, shop) for shop in self.shops]
        assert outcomes[0] is outcomes[1]


def outcome(deed, shop):
    try:
        deed(shop)
    except (TooEarly, NotEnoughStock) as refusal:
        return type(refusal)
    return None


def plain(event):
    """What is told, without the ids and times that each shop makes for itself."""
    own = {"product_id", "slug", "changed_at", "at"} | {
        name for name in vars(event) if name.endswith("_at")
    }
    return type(event), {name: value for name, value in vars(event).items() if name not in own}


def test_the_shop_in_memory_and_the_real_one_tell_the_same_story(deps):
    class OnThisDatabase(TwoShops):
        pass

    OnThisDatabase.deps = deps
    run_state_machine_as_test(
        OnThisDatabase,
        settings=settings(
            max_examples=8,
            stateful_step_count=15,
            phases=[Phase.generate, Phase.shrink],
        ),
    )
