"""Work that does not grow with the shop: what Postgres does about 100,000 products."""

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import psycopg2
import pytest
from sqlalchemy import event, make_url

from catalog.adapters.read_models import SqlQueries
from catalog.bootstrap import MIGRATIONS, build
from catalog.use_cases.queries import ProductFilter, Sort
from oja_events.migrating import migrate
from tests.integration.catalog.conftest import settings
from tests.support.postgres import scratch_database

CATALOGUE = Path(__file__).parents[3] / "benchmarks" / "catalogue.sql"
PRODUCTS = 100_000
# What grows with the number of products; categories are few.
LARGE = {"products", "variants", "stock", "product_images"}

FILTERS: dict[str, dict[str, Any]] = {
    "a rare word": {"q": "rare777"},
    "a word": {"q": "basket"},
    "a common word": {"q": "classic"},
    "a beginning": {"q": "cal"},
    "a category": {"category": "shelf-11"},
    "a category with others inside": {"category": "shelf-1"},
    "an unknown category": {"category": "nothing"},
    "a tag": {"tags": ("tag 7",)},
    "a range of prices": {"min_price": 500_000, "max_price": 520_000},
    "high prices": {"min_price": 9_999_000},
    "a rating": {"min_rating": 5},
    "featured": {"featured": True},
    "not featured": {"featured": False},
    "in stock": {"in_stock": True},
    "sold out": {"in_stock": False},
}
ALONE = [{}, *FILTERS.values()]
PAIRS = [
    one | other
    for one, other in itertools.combinations(FILTERS.values(), 2)
    if not one.keys() & other
]
# The word is in every fifth product, the category is the one that none of them is in.
CONTRADICTION = {"q": "classic", "category": "shelf-12"}


@pytest.fixture(scope="module")
def queries() -> Iterator[SqlQueries]:
    with scratch_database() as url:
        migrate("catalog", MIGRATIONS, url)
        _fill(url)
        wired = build(settings(url))
        yield cast("SqlQueries", wired.queries)
        wired.engine.dispose()


def _fill(url: str) -> None:
    connection = psycopg2.connect(
        make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(CATALOGUE.read_text().replace(":products", str(PRODUCTS)))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    connection.close()


@contextmanager
def plans(queries: SqlQueries) -> Iterator[list[dict[str, Any]]]:
    """Collects how everything is answered that is asked meanwhile."""
    seen: list[dict[str, Any]] = []

    def explain(_connection, cursor, statement, parameters, _context, _many) -> None:
        if statement.lstrip().startswith(("SELECT", "WITH")):
            cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
            seen.append(cursor.fetchone()[0][0]["Plan"])

    with listening(queries, explain):
        yield seen


@contextmanager
def listening(queries: SqlQueries, listener: Any) -> Iterator[None]:
    """Lets `listener` hear of every statement before it is executed."""
    engines = [sessions().get_bind() for sessions in (queries._sessions, queries._alone)]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", listener)
    try:
        yield
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", listener)


def scanned(plan: dict[str, Any]) -> set[str]:
    """The tables that are read from one end to the other."""
    own = {plan["Relation Name"]} if plan["Node Type"] == "Seq Scan" else set()
    return own.union(*(scanned(inner) for inner in plan.get("Plans", [])))


@pytest.mark.parametrize("sort", Sort)
def test_no_filter_and_no_pair_of_them_reads_a_whole_table(queries: SqlQueries, sort: Sort):
    for asked in [*ALONE, *PAIRS]:
        wanted = ProductFilter(**asked)
        with plans(queries) as seen:
            first = queries.products(wanted, sort=sort, size=24)
            if first.next:
                queries.products(wanted, sort=sort, size=24, after=first.next)

        assert seen
        assert not LARGE & set().union(*map(scanned, seen)), f"{asked} by {sort}"


@pytest.mark.parametrize("status", [None, "draft", "archived"])
@pytest.mark.parametrize("sort", Sort)
def test_nor_does_any_list_of_staff(queries: SqlQueries, sort: Sort, status: str | None):
    for asked in ALONE:
        with plans(queries) as seen:
            queries.products(ProductFilter(**asked, status=status), sort=sort, size=24)

        assert not LARGE & set().union(*map(scanned, seen)), f"{asked} by {sort}"


@pytest.mark.parametrize("asked", ALONE)
def test_totals_and_facets_do_neither(queries: SqlQueries, asked: dict[str, Any]):
    with plans(queries) as seen:
        page = queries.products(
            ProductFilter(**asked), sort=Sort.NEWEST, size=1, with_total=True, with_facets=True
        )

    assert page.facets
    assert not LARGE & set().union(*map(scanned, seen))
    assert "Gather" not in str(seen)


def test_a_search_is_one_statement(queries: SqlQueries):
    statements: list[str] = []

    def note(_connection, _cursor, statement, *_) -> None:
        statements.append(statement)

    with listening(queries, note):
        queries.products(ProductFilter(q="classic"), sort=Sort.RELEVANCE, size=24)

    assert len(statements) == 1


def test_a_misspelt_word_is_looked_up_in_an_index(queries: SqlQueries):
    with plans(queries) as seen:
        page = queries.products(ProductFilter(q="calabsh"), sort=Sort.RELEVANCE, size=24)

    assert page.suggestion == "calabash"
    assert not LARGE & set().union(*map(scanned, seen))


def test_one_product_is_looked_up_by_id_and_by_slug(queries: SqlQueries):
    with plans(queries) as seen:
        product = queries.product("product-777", public=True)
        queries.product(product["id"], public=True)

    assert not LARGE & set().union(*map(scanned, seen))


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("asked", [CONTRADICTION, FILTERS["a common word"], {"q": "a b c d e f"}])
def test_no_search_takes_long(queries: SqlQueries, sort: Sort, asked: dict[str, Any]):
    def seconds() -> float:
        since = time.perf_counter()
        queries.products(ProductFilter(**asked), sort=sort, size=24)
        return time.perf_counter() - since

    # Others may be at work on this machine; a plan that is wrong is slow every time.
    assert min(seconds() for _ in range(4)) < 1
