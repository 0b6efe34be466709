"""Pages that follow each other while the shop is at work: who holds still is seen exactly once."""

from collections import Counter
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from catalog.bootstrap import Dependencies
from catalog.use_cases.queries import ProductFilter, Sort

PRODUCTS = 7
STEPS = st.sampled_from(["add", "change", "archive"])

_ADD = text("""
    INSERT INTO products (id, slug, name, description, tags, featured, status, price_amount,
        currency, in_stock, rating_average, rating_count, sort_name, search, created_at,
        updated_at, version)
    SELECT :id, :slug, 'Drum', '', ARRAY[:tag], false, 'published', :key, 'NGN', true,
        :key, 0, :name, to_tsvector('simple', :text), now(), now(), 1
""")
_CHANGE = text("""
    UPDATE products SET price_amount = :key, rating_average = :key, sort_name = :name,
        search = to_tsvector('simple', :text) WHERE id = :id
""")
_ARCHIVE = text("UPDATE products SET status = 'archived' WHERE id = :id")


class Shelf:
    """Products whose price, rating, name and words all follow from one small number."""

    def __init__(self, deps: Dependencies) -> None:
        self.deps = deps
        self.tag = f"tag {uuid4().hex}"
        self.touched: set[Any] = set()

    def run(self, statement: Any, **values: Any) -> None:
        with self.deps.engine.begin() as connection:
            connection.execute(statement, values)

    def add(self, key: int) -> Any:
        product = uuid4()
        self.run(_ADD, id=product, slug=str(product), tag=self.tag, key=key, **words(key))
        return product

    def touch(self, step: str, product: Any, key: int) -> None:
        if step == "add":
            self.touched.add(self.add(key))
            return
        self.touched.add(product)
        if step == "change":
            self.run(_CHANGE, id=product, key=key, **words(key))
        else:
            self.run(_ARCHIVE, id=product)


def words(key: int) -> dict[str, str]:
    return {"name": f"drum {key}", "text": "drum " * (key + 1)}


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    sort=st.sampled_from(Sort),
    keys=st.lists(st.integers(0, 3), min_size=PRODUCTS, max_size=PRODUCTS),
    steps=st.lists(st.tuples(STEPS, st.integers(0, PRODUCTS - 1), st.integers(0, 3)), max_size=6),
    size=st.integers(1, 3),
)
def test_nothing_that_stays_as_it_is_is_lost_or_repeated(deps, sort, keys, steps, size):
    shelf = Shelf(deps)
    products = [shelf.add(key) for key in keys]
    wanted = ProductFilter(tags=(shelf.tag,), q="drum" if sort is Sort.RELEVANCE else None)
    seen: Counter[Any] = Counter()
    after, left = None, list(steps)

    while True:
        page = deps.queries.products(wanted, sort=sort, size=size, after=after)
        seen.update(item["id"] for item in page.items)
        if page.next is None:
            break
        after = page.next
        if left:
            step, number, key = left.pop()
            shelf.touch(step, products[number], key)

    for product in set(products) - shelf.touched:
        assert seen[product] == 1
