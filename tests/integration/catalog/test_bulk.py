"""The catalogue as a table: in by a worker, out as a stream, over a real database."""

import csv
import io
from uuid import uuid4

import pytest

from oja_events.contracts.catalog import ProductChanged
from oja_web.testing import problem
from tests.integration.catalog.conftest import a_variant
from tests.integration.catalog.tables import (
    EXPORT,
    HEADER,
    IMPORT,
    a_row,
    counts,
    csv_of,
    new_sku,
    send,
)


def exported(staff):
    answer = staff.open("GET", EXPORT)
    assert answer.content_type == "text/csv; charset=utf-8"
    return answer.get_data()


def product_of(staff, sku):
    found = staff.open("GET", "/api/admin/products", query_string={"q": sku}).json["items"]
    url = f"/api/admin/products/{found[0]['id']}"
    return staff.open("GET", url).json


def test_lines_become_products_with_stock_that_are_found_and_told(client, imported, shop):
    slug, one, two, alone = f"stool-{uuid4().hex[:8]}", new_sku(), new_sku(), new_sku()

    job = imported(
        csv_of(
            a_row(one, product=slug, options="size=S"),
            a_row(two, product=slug, options="size=L|wood=Iroko", amount="2000"),
            a_row(alone, name="Mat"),
        )
    )

    assert (job["status"], counts(job), job["lines"]) == ("done", (3, 0, 0, 0), 3)
    shown = client.get(f"/api/products/{slug}").json
    assert [(each["sku"], each["options"], each["available"]) for each in shown["variants"]] == [
        (one, {"size": "S"}, 5),
        (two, {"size": "L", "wood": "Iroko"}, 5),
    ]
    assert (shown["name"], shown["tags"], shown["price"]["amount"]) == (
        "Stool",
        ["wood", "low"],
        1000,
    )
    assert client.get("/api/products", query_string={"q": alone}).json["items"][0]["name"] == "Mat"
    assert shop.movements(one) == [("initial", 5)]
    told = [each for each in shop.told() if isinstance(each, ProductChanged)]
    assert sorted(len(each.variants) for each in told) == [1, 2]


def test_the_same_table_again_changes_nothing(staff, imported, shop):
    table = csv_of(a_row(new_sku()), a_row(new_sku(), product=f"p-{uuid4().hex}"))
    imported(table)
    told = len(shop.told())

    job = imported(table)

    assert counts(job) == (0, 0, 2, 0)
    assert len(shop.told()) == told


def test_lines_that_are_wrong_are_named_and_the_others_land(client, staff, imported):
    good, other, twice = new_sku(), staff.create().json, new_sku()
    taken = other["variants"][0]["sku"]

    job = imported(
        csv_of(
            a_row(good),
            a_row(new_sku(), amount="-5"),
            a_row(new_sku(), name="", amount="1.50"),
            a_row(taken, product=f"elsewhere-{uuid4().hex[:6]}"),
            a_row(twice),
            a_row(twice),
            ["too", "short"],
            a_row(new_sku(), options="size"),
        )
    )

    assert (job["status"], counts(job)) == ("done", (2, 0, 0, 6))
    assert [(each["line"], each["column"]) for each in job["errors"]] == [
        (3, "price_amount"),
        (4, "name"),
        (4, "price_amount"),
        (5, "sku"),
        (7, "sku"),
        (8, "line"),
        (9, "options"),
    ]
    assert all(each["reason"] for each in job["errors"])
    assert client.get("/api/products", query_string={"q": good}).json["items"]


def test_what_only_the_catalogue_knows_is_wrong_is_named_too(imported):
    slug = f"p-{uuid4().hex[:8]}"
    header = [*HEADER, "category", "currency"]

    job = imported(
        csv_of(
            [*a_row(new_sku(), product=slug, options="size=S"), "", "NGN"],
            [*a_row(new_sku(), product=slug, options="size=S"), "", "NGN"],
            [*a_row(new_sku(), product=slug, options="size=L", name="Other"), "", "NGN"],
            [*a_row(new_sku(), product=slug, options="size=M"), "", "USD"],
            [*a_row(new_sku()), "no-such-category", "NGN"],
            header=header,
        )
    )

    assert counts(job) == (1, 0, 0, 4)
    assert [(each["line"], each["column"]) for each in job["errors"]] == [
        (3, "options"),
        (4, "name"),
        (5, "currency"),
        (6, "category"),
    ]


def test_a_table_with_few_columns_changes_only_those(staff, imported):
    created = staff.create(
        a_variant(options={"size": "M"}), a_variant(options={"size": "L"}), tags=["old"]
    ).json
    sku, other = (each["sku"] for each in created["variants"])

    job = imported(csv_of([sku, "777"], [new_sku(), "5"], header=["sku", "price_amount"]))

    assert counts(job) == (0, 1, 0, 1)
    assert job["errors"] == [
        {"line": 3, "column": "name", "reason": "is required for a new product"}
    ]
    changed = product_of(staff, sku)
    assert [each["price"]["amount"] for each in changed["variants"]] == [777, 950_000]
    assert (changed["tags"], other) == (["old"], changed["variants"][1]["sku"])


def test_a_dry_run_tells_what_would_change_and_changes_nothing(client, staff, imported, shop):
    present, fresh = staff.create().json["variants"][0]["sku"], new_sku()
    told = len(shop.told())

    job = imported(
        csv_of([present, "5"], [fresh, "x"], header=["sku", "price_amount"]), "?dry_run=true"
    )
    created = imported(csv_of(a_row(fresh)), "?dry_run=true")

    assert (job["dry_run"], counts(job)) == (True, (0, 1, 0, 1))
    assert job["changes"] == [
        {"line": 2, "sku": present, "action": "update", "fields": ["price_amount"]}
    ]
    assert created["changes"][0]["action"] == "create"
    assert client.get("/api/products", query_string={"q": fresh}).json["items"] == []
    assert product_of(staff, present)["price"]["amount"] == 950_000
    assert len(shop.told()) == told


def test_what_is_exported_is_imported_without_a_change(staff, imported, shop):
    shelf = staff.open("POST", "/api/admin/categories", json={"name": f"=Shelf {uuid4()}"}).json
    staff.create(
        a_variant(
            options={"a=b": "c|d", "x\\": "-1"},
            compare_at_price={"amount": 10**15, "currency": "NGN"},
            low_stock_threshold=3,
            initial_stock=9,
        ),
        a_variant(options={"size": "'=1"}),
        name="=1+1",
        description="+a\n\n\"quoted\", 'and' more\t;",
        tags=["@x", "a|b", "-c"],
        category=shelf["slug"],
        featured=True,
        status="archived",
    )
    staff.create(name="'quoted")
    told = len(shop.told())
    table = exported(staff)

    assert imported(table, "?dry_run=true")["changes"] == []
    job = imported(table)

    lines = [*csv.reader(io.StringIO(table.decode(), newline=""))]
    assert counts(job) == (0, 0, len(lines) - 1, 0), job["errors"]
    assert len(shop.told()) == told
    assert exported(staff) == table
    assert not [cell for line in lines for cell in line if cell[:1] in tuple("=+-@\t\r")]


def test_a_table_may_come_as_a_file_with_a_mark_of_its_encoding(staff, work):
    table = b"\xef\xbb\xbf" + csv_of(a_row(new_sku(), name="Àdìrẹ"))

    answer = staff.open(
        "POST",
        IMPORT,
        data={"file": (io.BytesIO(table), "products.csv")},
        content_type="multipart/form-data",
    )
    work()

    assert counts(staff.open("GET", answer.headers["Location"]).json) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    "table", [b"", b"name\nx\n", b"sku,colour\n", b"sku,sku\n", b"\xff\xfe\x00", b"PK\x03\x04"]
)
def test_a_table_whose_header_is_wrong_is_refused_at_once(staff, table):
    problem(send(staff, table), 422, "invalid")


def test_a_body_that_is_no_table_is_refused(staff):
    problem(staff.open("POST", IMPORT, json={}), 415, "unsupported_media_type")
    form = {"file": (io.BytesIO(b"sku\n"), "a.csv"), "colour": "red"}
    answer = staff.open("POST", IMPORT, data=form, content_type="multipart/form-data")
    assert list(problem(answer, 422, "invalid")["errors"]) == ["colour"]
    problem(send(staff, b"sku\n", "?dry_run=maybe"), 422, "invalid")
    problem(staff.open("GET", f"/api/admin/imports/{uuid4()}"), 404, "not_found")


@pytest.mark.parametrize("tail", [b"\xff\xfe,broken\r\n", b'"never closed,1\r\n'])
def test_a_table_that_breaks_off_is_failed_where_it_does(imported, tail):
    job = imported(csv_of(a_row(new_sku())) + tail)

    assert job["status"] == "failed"
    assert job["errors"][-1]["column"] == "line"
