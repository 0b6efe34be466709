"""The Books of a whole shop: with a command and at the console."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import pytest

from tests.support.shop import Shop
from tests.support.stack import oja
from tests.support.waiting import wait_until

# An audit that took 2 s is followed by a rest of 40 s.
SEEN_WITHIN = 120.0


@contextmanager
def superuser(shop: Shop) -> Iterator[Any]:
    with closing(psycopg2.connect(shop.description["postgres"]["superuser_dsn"])) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SET search_path = catalog, public")
            yield cursor


@pytest.fixture
def spoilt(shop: Shop) -> Iterator[str]:
    """A SKU of which the counter says one more than there is."""
    sku = shop.staff.new_product(stock=3)
    change = "UPDATE catalog.stock SET on_hand = on_hand + %s WHERE sku = %s"
    with superuser(shop) as cursor:
        cursor.execute(change, (1, sku))
        yield sku
        cursor.execute(change, (-1, sku))


def at_the_console(shop: Shop) -> dict[str, set[str]]:
    """The ids of what is wrong, by rule, as staff see it."""
    answer = shop.staff.get("/api/admin/books")
    assert answer.status_code == 200, answer.text
    return {rule["rule"]: ids(rule) for rule in answer.json()["rules"] if rule["status"] == "red"}


def alerts_about(shop: Shop, sku: str) -> list[Any]:
    found = shop.staff.get("/api/admin/alerts").json()["items"]
    return [each for each in found if each["kind"] == "books" and sku in each["detail"]]


def mails_about_books(shop: Shop) -> list[str]:
    """To the administrator. Mails to staff are named after whom they are for as well."""
    mails = shop.mails(shop.description["admin"]["email"])
    return [each for each in mails if each.partition(".")[0] == "books"]


def ids(rule: Any) -> set[str]:
    return {fault["id"] for fault in rule["faults"]}


def test_what_does_not_add_up_is_seen_by_the_command_at_once_and_by_staff_soon(
    shop: Shop, spoilt: str
) -> None:
    told = json.loads(oja(shop, "audit", "--json", code=1).output)

    assert told["status"] == "red"
    assert {rule["rule"]: ids(rule) for rule in told["rules"] if ids(rule)} == {"stock": {spoilt}}
    wait_until(lambda: at_the_console(shop) == {"stock": {spoilt}}, timeout=SEEN_WITHIN, pause=0.5)
    # Told as one thing, however long it stays so: many an audit finds it.
    wait_until(lambda: alerts_about(shop, spoilt), timeout=SEEN_WITHIN, pause=0.5)
    assert [each["title"] for each in alerts_about(shop, spoilt)] == [
        "Books: stock does not add up"
    ]
    wait_until(lambda: mails_about_books(shop), timeout=SEEN_WITHIN, pause=0.5)


def test_books_are_for_those_who_may_read_the_audit_log(shop: Shop) -> None:
    assert shop.visitor().get("/api/admin/books").status_code == 401
    assert shop.customer().get("/api/admin/books").status_code == 403
