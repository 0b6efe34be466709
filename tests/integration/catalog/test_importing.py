"""How tables are worked off: in batches, by workers that may die, within limits."""

import tracemalloc
from time import perf_counter
from uuid import uuid4

import pytest
from sqlalchemy import event, text

from catalog.use_cases import importing
from oja_web.testing import problem
from tests.integration.catalog.tables import a_row, counts, csv_of, new_sku, send


def test_a_worker_that_dies_in_between_costs_no_line(staff, deps, shop, monkeypatch):
    monkeypatch.setattr(importing, "BATCH", 3)
    skus = [new_sku() for _ in range(10)]
    url = send(staff, csv_of(*map(a_row, skus))).headers["Location"]
    calls = []

    def dies(*args, **kwargs):
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    real = importing.merge
    monkeypatch.setattr(importing, "merge", dies)
    with pytest.raises(KeyboardInterrupt):
        importing.advance(unit_of_work=deps.unit_of_work, currency="NGN")
    halfway = staff.open("GET", url).json
    assert (counts(halfway), halfway["progress"]) == ((6, 0, 0, 0), 63)
    assert importing.advance(unit_of_work=deps.unit_of_work, currency="NGN") == 0

    with deps.engine.begin() as connection:
        connection.execute(text("UPDATE imports SET leased_until = now()"))
    assert importing.advance(unit_of_work=deps.unit_of_work, currency="NGN") == 1

    job = staff.open("GET", url).json
    assert (job["status"], counts(job), job["lines"]) == ("done", (10, 0, 0, 0), 10)
    assert job["progress"] == 100
    assert all(shop.movements(sku) == [("initial", 5)] for sku in skus)
    assert shop.rows("SELECT FROM import_chunks") == []


def test_a_table_that_goes_on_is_not_given_up_however_often_it_is_interrupted(
    staff, deps, monkeypatch
):
    monkeypatch.setattr(importing, "BATCH", 1)
    lines = 2 * importing.MOST_ATTEMPTS
    url = send(staff, csv_of(*(a_row(new_sku()) for _ in range(lines)))).headers["Location"]
    calls = []

    def dies_every_other_time(*args, **kwargs):
        calls.append(args)
        if len(calls) % 2 == 0:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    real = importing.merge
    monkeypatch.setattr(importing, "merge", dies_every_other_time)
    for _ in range(lines - 1):
        with pytest.raises(KeyboardInterrupt):
            importing.advance(unit_of_work=deps.unit_of_work, currency="NGN")
        with deps.engine.begin() as connection:
            connection.execute(text("UPDATE imports SET leased_until = now()"))
    importing.advance(unit_of_work=deps.unit_of_work, currency="NGN")

    job = staff.open("GET", url).json
    assert (job["status"], job["created"]) == ("done", lines)


def test_no_transaction_stays_open_while_lines_are_worked_on(staff, deps, shop, monkeypatch):
    url = send(staff, csv_of(*(a_row(new_sku()) for _ in range(5)))).headers["Location"]
    real, open_ones = importing.merge, []

    def looks(*args, **kwargs):
        [row] = shop.rows(
            "SELECT count(*) AS n FROM pg_stat_activity"
            " WHERE state = 'idle in transaction' AND datname = current_database()"
        )
        open_ones.append(row.n)
        return real(*args, **kwargs)

    monkeypatch.setattr(importing, "BATCH", 2)
    monkeypatch.setattr(importing, "merge", looks)
    importing.advance(unit_of_work=deps.unit_of_work, currency="NGN")

    assert staff.open("GET", url).json["created"] == 5
    assert open_ones == [1, 1, 1]  # the batch's own


def test_a_table_that_every_worker_dies_of_is_given_up(staff, deps, work):
    url = send(staff, csv_of(a_row(new_sku()))).headers["Location"]
    with deps.engine.begin() as connection:
        connection.execute(
            text("UPDATE imports SET attempts = :most WHERE id = :id"),
            {"most": importing.MOST_ATTEMPTS, "id": url.rpartition("/")[2]},
        )

    work()

    job = staff.open("GET", url).json
    assert (job["status"], job["errors"][0]["column"]) == ("failed", "line")


def test_a_batch_has_a_limit_though_every_line_names_the_same_product(imported, monkeypatch):
    monkeypatch.setattr(importing, "BATCH", 3)
    monkeypatch.setattr(importing, "MOST_OF_A_PRODUCT", 2)
    real, sizes = importing.merge, []

    def counts_lines(entries, *args):
        sizes.append(len(entries))
        return real(entries, *args)

    monkeypatch.setattr(importing, "merge", counts_lines)
    slug = f"p-{uuid4().hex[:8]}"

    job = imported(csv_of(*(a_row(new_sku(), product=slug, options=f"n={n}") for n in range(12))))

    assert (job["status"], job["created"]) == ("done", 12)
    assert sizes == [5, 5, 2]


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
def test_a_table_with_too_many_lines_is_refused_at_once(staff, imported, shop, monkeypatch, end):
    monkeypatch.setattr(importing, "MOST_LINES", 4)
    head, _, lines = csv_of(*(a_row(new_sku()) for _ in range(5))).partition(b"\r\n")

    refusal = problem(send(staff, head + b"\n" + lines.replace(b"\r\n", end)), 422, "invalid")

    assert list(refusal["errors"]) == ["file.line"]
    assert shop.rows("SELECT FROM import_chunks") == []
    assert imported(csv_of(*(a_row(new_sku()) for _ in range(3))))["status"] == "done"


def test_many_lines_take_few_statements_and_little_memory(staff, deps, imported):
    lines = 3_000
    table = csv_of(*(a_row(new_sku(), name=f"Thing {n}") for n in range(lines)))
    statements = []

    def count(*args):
        statements.append(args[2])

    event.listen(deps.engine, "before_cursor_execute", count)
    tracemalloc.start()
    began = perf_counter()
    try:
        job = imported(table)
    finally:
        event.remove(deps.engine, "before_cursor_execute", count)
    seconds = perf_counter() - began
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert counts(job) == (lines, 0, 0, 0)
    assert len(statements) < lines / 10
    assert peak < 40_000_000
    assert seconds < 60
