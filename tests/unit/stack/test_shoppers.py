"""The customers of `./oja bench orders`, in a shop that is made of paper."""

from collections import Counter
from unittest import mock

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from stack.benchmarks import shoppers
from stack.benchmarks.shoppers import Job, Refused, shop

KEY = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
NOT_READY = (409, b'{"code": "order_not_ready"}')


class PaperShop:
    """Answers in the place of every site; `answers` are given before the usual ones."""

    def __init__(self, *answers: tuple[int, bytes]) -> None:
        self.answers = list(answers)
        self.asked: Counter[str] = Counter()
        self.callers: set[str] = set()

    def post(self, path: str, _body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        self.asked[path] += 1
        self.callers.add(headers.get("Authorization", ""))
        if path == "/api/pay" and self.answers:
            return self.answers.pop(0)
        return {
            "/api/cart/items": (200, b"{}"),
            "/api/checkout": (201, b'{"id": "1"}'),
            "/api/pay": (201, b'{"authorization_url": "http://pages.example/checkout/x"}'),
            "/checkout/x": (200, b""),
        }[path]


def a_job(**changes: object) -> Job:
    facts = {"gateway": "http://shop.example", "issuer": "http://shop.example", "key": KEY.decode()}
    limits = {"kid": "k", "skus": ["MUG"], "shoppers": 2, "pays": True, "orders": 6}
    return Job(**(facts | limits | changes))


def go(paper: PaperShop, job: Job) -> shoppers.Told:
    with mock.patch.object(shoppers, "Site", return_value=paper):
        return shop(job)


def test_every_order_is_made_once_and_by_another_customer():
    paper = PaperShop()

    told = go(paper, a_job())

    assert told.orders == 6
    assert paper.asked == dict.fromkeys(
        ("/api/cart/items", "/api/checkout", "/api/pay", "/checkout/x"), 6
    )
    assert len(paper.callers - {""}) == 6
    assert {name: len(times) for name, times in told.calls.items()} == {
        "add": 6,
        "checkout": 6,
        "pay": 6,
    }


def test_who_only_looks_at_checkouts_pays_nothing():
    paper = PaperShop()

    go(paper, a_job(pays=False))

    assert set(paper.asked) == {"/api/cart/items", "/api/checkout"}


def test_an_order_that_is_not_ready_is_paid_a_little_later():
    paper = PaperShop(NOT_READY)

    told = go(paper, a_job(orders=1))

    assert (told.orders, paper.asked["/api/pay"]) == (1, 2)


def test_a_customer_who_is_refused_makes_the_measurement_worthless():
    with pytest.raises(Refused, match="pay: 503"):
        go(PaperShop((503, b'{"code": "away"}')), a_job())
