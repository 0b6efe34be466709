"""Categories that get another name, and their products, which are found by it a little later."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from uuid import uuid4

import pytest
from sqlalchemy import event, text

from catalog.adapters.repositories import search
from catalog.use_cases import commands, indexing
from tests.integration.catalog.conftest import a_variant
from tests.integration.catalog.test_stock import at_once
from tests.support.waiting import wait_until
from tests.unit.catalog.builders import offer

SHELVES = "/api/admin/categories"
FILL = text("""
    INSERT INTO products (id, slug, name, description, category_id, tags, featured, status,
        price_amount, currency, in_stock, rating_average, rating_count, sort_name, search,
        created_at, updated_at, version)
    SELECT gen_random_uuid(), 'filed-' || gen_random_uuid(), 'Filed', 'It lasts for years.',
        :category_id, '{}', false, 'published', 100, 'NGN', true, 0, 0, 'filed', '', now(), now(), 1
    FROM generate_series(1, :products)
""")
FOUND = """
    SELECT id, CAST(xmin AS text) AS written_by FROM products
    WHERE category_id = :id AND search @@ to_tsquery('simple', :word) ORDER BY id
"""
LOCK_PRODUCTS = text("SELECT FROM products WHERE category_id = :id FOR UPDATE")
FILE_IN = text("SELECT FROM categories WHERE id = :id FOR KEY SHARE")
NOTED = "SELECT FROM renamed_categories WHERE category_id = :id"
WAITING = """
    SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
"""


@pytest.fixture(autouse=True)
def batches_of_two(monkeypatch):
    monkeypatch.setattr(indexing, "PRODUCTS_AT_ONCE", 2)


@pytest.fixture
def new_shelf(staff, deps):
    """A category with so many products."""

    def make(products=0):
        shelf = staff.open("POST", SHELVES, json={"name": f"Shelf {uuid4().hex[:8]}"}).json
        with deps.engine.begin() as connection:
            connection.execute(FILL, {"category_id": shelf["id"], "products": products})
        return shelf

    return make


@pytest.fixture
def index(deps):
    """Let the worker index all there is, or so many batches."""

    def index_batches(most=1_000):
        for _ in range(most):
            if not indexing.index_renamed(deps.unit_of_work):
                return

    return index_batches


@pytest.fixture
def found(shop):
    def by(word, shelf):
        return shop.rows(FOUND, id=shelf["id"], word=word)

    return by


def rename(staff, shelf, name):
    url = f"{SHELVES}/{shelf['id']}"
    seen = staff.open("GET", url).headers["ETag"]
    answer = staff.open("PATCH", url, json={"name": name}, seen=seen)
    assert answer.status_code == 200, answer.text


def remove(staff, shelf):
    url = f"{SHELVES}/{shelf['id']}"
    seen = staff.open("GET", url).headers["ETag"]
    assert staff.open("DELETE", url, seen=seen).status_code == 204


@contextmanager
def under_way(deps, change):
    """A change that is written, and commits at the end of the block."""
    written, go_on = Event(), Event()
    uow = deps.unit_of_work()
    commit = uow.commit

    def commit_later():
        written.set()
        go_on.wait(10)
        commit()

    uow.commit = commit_later
    with ThreadPoolExecutor(1) as thread:
        changing = thread.submit(change, uow)
        try:
            assert written.wait(10)
            yield
        finally:
            go_on.set()
        changing.result()


def test_a_rename_does_not_lock_the_products(staff, deps, new_shelf, shop):
    shelf = new_shelf(1)

    with deps.engine.begin() as editor:
        editor.execute(LOCK_PRODUCTS, {"id": shelf["id"]})
        rename(staff, shelf, "Kalimbas")

    assert shop.rows(NOTED, id=shelf["id"])


def test_no_statement_touches_more_products_than_a_batch(staff, deps, new_shelf, index, found):
    shelf, touched = new_shelf(7), []

    def count(_connection, cursor, *_):
        touched.append(cursor.rowcount)

    event.listen(deps.engine, "after_cursor_execute", count)
    try:
        rename(staff, shelf, "Kalimbas")
        touched.clear()  # which reads the categories, all of them
        index()
    finally:
        event.remove(deps.engine, "after_cursor_execute", count)

    assert max(touched) == 2
    assert len(found("kalimbas", shelf)) == 7


def test_a_worker_that_dies_in_between_costs_no_product(
    staff, shop, new_shelf, index, found, monkeypatch
):
    shelf = new_shelf(5)
    rename(staff, shelf, "Kalimbas")
    index(1)
    first = found("kalimbas", shelf)

    def dies(*args):
        real(*args)
        raise KeyboardInterrupt

    real = search.index_products
    monkeypatch.setattr(search, "index_products", dies)
    with pytest.raises(KeyboardInterrupt):
        index()
    assert found("kalimbas", shelf) == first
    monkeypatch.setattr(search, "index_products", real)
    index()

    assert len(first) == 2
    assert len(found("kalimbas", shelf)) == 5
    # Nothing is done twice.
    assert found("kalimbas", shelf)[:2] == first
    assert not shop.rows(NOTED, id=shelf["id"])


def test_a_category_that_is_renamed_again_meanwhile_is_found_by_its_last_name(
    staff, new_shelf, index, found
):
    shelf = new_shelf(5)
    rename(staff, shelf, "Kalimbas")
    index(2)

    rename(staff, shelf, "Thumb pianos")
    index()

    assert len(found("pianos", shelf)) == 5
    assert found("kalimbas", shelf) == []


def test_a_small_category_does_not_wait_for_a_large_one(staff, new_shelf, index, found):
    large, small = new_shelf(20), new_shelf(1)
    rename(staff, large, "Kalimbas")
    index(2)

    rename(staff, small, "Marimbas")
    index(2)

    assert len(found("marimbas", small)) == 1
    assert len(found("kalimbas", large)) < 20


def test_a_product_that_comes_in_while_the_category_is_renamed_is_found_by_the_new_name(
    staff, deps, shop, new_shelf, index, found
):
    shelf = new_shelf()

    with ThreadPoolExecutor(1) as thread:
        with under_way(deps, lambda uow: offer(uow, category=shelf["slug"])):
            renaming = thread.submit(rename, staff, shelf, "Kalimbas")
            wait_until(lambda: renaming.done() or shop.rows(WAITING))
            index()
        renaming.result()
    index()

    assert len(found("kalimbas", shelf)) == 1


def test_a_product_that_changes_while_it_is_indexed_is_found_by_what_it_says_then(
    staff, deps, shop, new_shelf, index, found
):
    shelf = new_shelf()
    product_id = offer(deps.unit_of_work(), category=shelf["slug"])

    def edit(uow):
        commands.change_product(
            product_id,
            {"name": "Eight keys"},
            by="staff",
            currency="NGN",
            precondition=lambda _: None,
            uow=uow,
        )

    with ThreadPoolExecutor(1) as thread:
        rename(staff, shelf, "Kalimbas")
        with under_way(deps, edit):
            batches = thread.submit(index)
            wait_until(lambda: shop.rows(WAITING))
        batches.result()

    assert len(found("kalimbas & eight", shelf)) == 1


def test_an_edit_a_batch_and_a_rename_do_not_wait_in_a_circle(
    staff, deps, shop, new_shelf, index, found
):
    shelf = new_shelf(1)
    rename(staff, shelf, "Kalimbas")

    with ThreadPoolExecutor(2) as threads:
        with deps.engine.begin() as editor:
            editor.execute(LOCK_PRODUCTS, {"id": shelf["id"]})
            batches = threads.submit(index)
            wait_until(lambda: len(shop.rows(WAITING)) == 1)
            renaming = threads.submit(rename, staff, shelf, "Thumb pianos")
            wait_until(lambda: len(shop.rows(WAITING)) == 2)
            editor.execute(FILE_IN, {"id": shelf["id"]})
        batches.result()
        renaming.result()
    index()

    assert len(found("pianos", shelf)) == 1


def test_a_category_that_is_removed_before_its_turn_is_forgotten(staff, shop, new_shelf, index):
    shelf = new_shelf()
    rename(staff, shelf, "Kalimbas")

    remove(staff, shelf)
    index()

    assert not shop.rows(NOTED, id=shelf["id"])


def test_renames_workers_and_edits_beside_each_other_lose_nothing(staff, new_shelf, index, found):
    shelves = [new_shelf(), new_shelf()]
    products = [staff.create(category=shelves[n % 2]["slug"]).json for n in range(12)]

    def edit():
        for n, product in enumerate(products):
            url = f"/api/admin/products/{product['id']}"
            seen = staff.open("GET", url).headers["ETag"]
            body = {"category": shelves[n % 3 % 2]["slug"], "variants": [a_variant()]}
            answer = staff.open("PATCH", url, json=body, seen=seen)
            assert answer.status_code == 200, answer.text

    def rename_both():
        for n in range(4):
            for shelf in shelves:
                rename(staff, shelf, f"Kalimbas {n}" if n < 3 else "Last")

    at_once([edit, rename_both, lambda: index(30), lambda: index(30)])
    index()

    assert sum(len(found("last", shelf)) for shelf in shelves) == 12
    assert not any(found("kalimbas", shelf) for shelf in shelves)
