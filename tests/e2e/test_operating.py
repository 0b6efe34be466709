"""What `./oja` offers to whoever runs the shop, on the running shop."""

import json
from contextlib import closing
from typing import Any
from uuid import uuid4

import psycopg2
from kombu import Connection, Exchange, Producer

from tests.support.shop import Shop
from tests.support.stack import oja
from tests.support.waiting import wait_until


def test_events_are_shown_and_given_again_without_a_second_effect(shop: Shop) -> None:
    sku = shop.staff.new_product(stock=5)
    shop.customer().put_in_cart(sku)

    envelope = wait_until(lambda: told_of(shop, sku))
    shown = oja(shop, "events", "show", envelope["id"])
    again = [oja(shop, "events", "replay", envelope["id"]) for _ in range(2)]

    assert "ordering: applied" in shown.output
    assert envelope["type"] in shown.output
    assert [done.output.strip() for done in again] == [f"{envelope['id']} in ordering: applied"] * 2


def test_a_whole_feed_is_compared_again_while_the_shop_runs(shop: Shop) -> None:
    done = oja(shop, "events", "replay", "--source", "catalog", "--after", "0", "--to", "ordering")

    assert "ordering compares catalog's feed again from position 0" in done.output
    head = json.loads(oja(shop, "lag", "--json").output)["services"]["catalog"]["head"]
    # A round is every half minute, and the next one mends what one could not do.
    wait_until(lambda: behind(shop)["ordering"]["catalog"] < head, timeout=120)


def test_a_message_that_cannot_be_read_is_listed_until_somebody_closes_it(shop: Shop) -> None:
    garbage = f"garbage {uuid4()}"
    tell_garbage(shop, garbage)

    key = wait_until(lambda: parked_with(shop, garbage))["key"]
    redriven = oja(shop, "parked", "redrive", key)
    closed = [oja(shop, "parked", "discard", key, "--note", "a test") for _ in range(2)]

    assert "cannot be read, so it stays as it is" in redriven.output
    assert "discarded" in closed[0].output
    assert "was discarded already" in closed[1].output
    assert parked_with(shop, garbage) is None
    assert json.loads(oja(shop, "parked", "show", key).output)["note"] == "a test"


def test_the_copy_of_the_products_is_mended_while_the_shop_runs(shop: Shop) -> None:
    sku = shop.staff.new_product(stock=5, price=123400)
    ada = shop.customer()
    ada.put_in_cart(sku)
    spoil_price(shop, sku)

    first = oja(shop, "rebuild", "products")
    second = oja(shop, "rebuild", "products")

    assert "0 mended" not in first.output
    assert " 0 mended" in second.output
    [item] = ada.get("/api/cart").json()["items"]
    assert item["unit_price"]["amount"] == 123400


def test_what_makes_no_sense_is_said_in_a_sentence(shop: Shop) -> None:
    for command, sentence in (
        (("events", "show", "ffffffff-ffff-4fff-bfff-ffffffffffff"), "is no id of an event"),
        (("events", "show", "01955090-3400-7f96-a80b-5b9c6daecf56"), "No journal has an event"),
        (("events", "replay"), "Name events by their ids"),
        (("parked", "redrive"), "Name messages by their keys"),
        (("parked", "show", "nothing"), "No message nothing is parked"),
        (("rebuild", "everything"), "There is no projection 'everything'"),
    ):
        done = oja(shop, *command, code=1)
        assert sentence in done.output
        assert "Traceback" not in done.output


def told_of(shop: Shop, text: str) -> Any:
    lines = oja(shop, "events", "tail", "--service", "catalog", "-n", "200", "--json").output
    return next((json.loads(line)["envelope"] for line in lines.splitlines() if text in line), None)


def behind(shop: Shop) -> Any:
    return json.loads(oja(shop, "lag", "--json").output)["behind"]


def parked_with(shop: Shop, text: str) -> Any:
    rows = json.loads(oja(shop, "parked", "list", "--json", "--service", "payments").output)
    return next((row for row in rows if text in row["body"]), None)


def tell_garbage(shop: Shop, text: str) -> None:
    with Connection(shop.description["broker"]["admin_url"]) as connection:
        lanes = Exchange("payments.lanes", "direct")
        producer = Producer(connection.channel(), exchange=lanes, auto_declare=False)
        producer.publish(text.encode(), routing_key="main", mandatory=True)


def spoil_price(shop: Shop, sku: str) -> None:
    with closing(psycopg2.connect(shop.description["postgres"]["superuser_dsn"])) as database:
        database.autocommit = True
        with database.cursor() as cursor:
            cursor.execute("UPDATE ordering.offers SET price_amount = 1 WHERE sku = %s", (sku,))
