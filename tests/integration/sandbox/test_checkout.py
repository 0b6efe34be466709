"""A customer at the checkout page."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.integration.sandbox.running import Sandbox, Shop
from tests.integration.sandbox.test_webhooks import delivery
from tests.support.waiting import wait_until

SHOP_PAGE = "http://shop.example.com/back"


def checkout(sandbox: Sandbox, reference: str) -> str:
    path = f"/_sandbox/paystack/transactions/{reference}"
    return str(sandbox.get(path)["authorization_url"])


def choose(sandbox: Sandbox, reference: str, choice: str, **fields: Any) -> requests.Response:
    return sandbox.http.post(
        checkout(sandbox, reference), data={"choice": choice, **fields}, allow_redirects=False
    )


def test_the_page_shows_what_is_to_be_paid(sandbox: Sandbox) -> None:
    reference = sandbox.opened()

    page = sandbox.http.get(checkout(sandbox, reference)).text

    for expected in ("NGN 2,500.00", reference, "Pay", "Fail", "Abandon", "4084080000671803"):
        assert expected in page
    assert 'src="http' not in page


@pytest.mark.parametrize("callback", [SHOP_PAGE, f"{SHOP_PAGE}?order=42"])
def test_who_has_paid_goes_back_to_the_shop(sandbox: Sandbox, callback: str) -> None:
    reference = sandbox.opened(callback_url=callback)

    answer = choose(sandbox, reference, "pay")

    target = answer.headers["Location"]
    query = parse_qs(urlsplit(target).query)
    assert answer.status_code == 302
    assert target.startswith(callback)
    assert (query["trxref"], query["reference"]) == ([reference], [reference])
    assert sandbox.verified(reference)["status"] == "success"


def test_without_a_way_back_there_is_a_success_page(sandbox: Sandbox) -> None:
    answer = choose(sandbox, sandbox.opened(), "pay")

    assert answer.status_code == 200
    assert "Payment successful" in answer.text


def test_a_declined_customer_sees_why_and_tries_again(sandbox: Sandbox) -> None:
    reference = sandbox.opened(callback_url=SHOP_PAGE)

    declined = choose(sandbox, reference, "fail")
    failed = sandbox.verified(reference)
    again = choose(sandbox, reference, "pay")

    assert "Declined" in declined.text
    assert (failed["status"], failed["gateway_response"]) == ("failed", "Declined")
    assert again.status_code == 302


def test_a_wrong_pin_does_not_pay(sandbox: Sandbox) -> None:
    reference = sandbox.opened()

    wrong = choose(sandbox, reference, "card", number="5060666666666666666", pin="9999")
    gateway = sandbox.verified(reference)["gateway_response"]
    choose(sandbox, reference, "card", number="5060666666666666666", pin="1234")

    assert "Incorrect PIN" in wrong.text
    assert gateway == "Incorrect PIN"
    assert sandbox.verified(reference)["status"] == "success"


def test_who_leaves_goes_where_the_shop_wants_and_may_come_back(sandbox: Sandbox) -> None:
    reference = sandbox.opened(metadata={"cancel_action": "http://shop.example.com/cart"})

    left = choose(sandbox, reference, "abandon")

    assert left.headers["Location"] == "http://shop.example.com/cart"
    assert sandbox.verified(reference)["status"] == "abandoned"
    assert choose(sandbox, reference, "pay").status_code == 200


def test_a_wrong_transfer_stays_on_the_page(sandbox: Sandbox) -> None:
    reference = sandbox.opened()

    answer = choose(sandbox, reference, "transfer")

    assert "not the right amount" in answer.text
    assert sandbox.verified(reference)["status"] == "abandoned"


def test_paying_twice_changes_nothing(sandbox: Sandbox, shop: Shop) -> None:
    reference = sandbox.opened(callback_url=SHOP_PAGE)

    choose(sandbox, reference, "pay")
    again = choose(sandbox, reference, "pay")

    assert again.status_code == 302
    items = sandbox.get("/_sandbox/webhooks", params={"reference": reference})["items"]
    assert len(items) == 1


def test_the_webhook_may_come_before_the_redirect(sandbox: Sandbox, shop: Shop) -> None:
    sandbox.post("/_sandbox/webhooks/switches", order="before_redirect")
    reference = sandbox.opened(callback_url=SHOP_PAGE)

    choose(sandbox, reference, "pay")

    assert len(shop.about(reference)) == 1


def test_the_webhook_may_come_after_the_redirect(sandbox: Sandbox, shop: Shop) -> None:
    sandbox.post("/_sandbox/webhooks/switches", order="after_redirect")
    reference = sandbox.opened(callback_url=SHOP_PAGE)

    answer = choose(sandbox, reference, "pay")

    assert answer.status_code == 302
    wait_until(lambda: delivery(sandbox, reference)["attempts"], what="the webhook")


def test_an_unknown_page_is_not_found(sandbox: Sandbox) -> None:
    assert sandbox.http.get(f"{sandbox.url}/checkout/unknown").status_code == 404


def test_the_start_page_links_to_everything(sandbox: Sandbox) -> None:
    page = sandbox.http.get(sandbox.url).text

    for path in ("/mail", "/_sandbox/books", "/_sandbox/webhooks", "/_sandbox/calls"):
        assert f'href="{path}"' in page
        assert sandbox.http.get(sandbox.url + path).status_code == 200
