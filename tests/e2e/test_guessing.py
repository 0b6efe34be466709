"""Somebody guesses a password at the whole shop, and its owner comes back (S06, S08, S54)."""

import time
from uuid import uuid4

import pytest
import requests

from tests.support.shop import Client, Shop

FREE_GUESSES = 10


def guess(stranger: Client, email: str, number: int) -> requests.Response:
    """One more wrong password, from what is said to be another address each time."""
    disguise = {"X_Forwarded_For": f"203.0.113.{number}", "X_Real_IP": f"203.0.113.{number}"}
    return stranger.post(
        "/api/auth/login", {"email": email, "password": f"guess {number}"}, **disguise
    )


@pytest.mark.parametrize("known", [True, False], ids=["an account", "no account"])
def test_s08_who_guesses_has_to_wait_and_learns_nothing(shop: Shop, known: bool) -> None:
    ada = shop.customer()
    email = ada.email if known else f"nobody.{uuid4().hex}@example.com"
    stranger = Client(ada.url)

    answers = [guess(stranger, email, number) for number in range(FREE_GUESSES + 1)]

    assert [answer.status_code for answer in answers] == [401] * FREE_GUESSES + [429]
    refused = answers[-1]
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["code"] == "too_many_requests"
    assert 1 <= int(refused.headers["Retry-After"]) <= 10
    assert '"login-account"' in refused.headers["RateLimit"]


def test_s08_the_owner_waits_a_moment_and_is_in(shop: Shop) -> None:
    ada = shop.customer()
    stranger = Client(ada.url)
    for number in range(FREE_GUESSES):
        guess(stranger, ada.email, number)

    refused = stranger.post("/api/auth/login", ada.credentials)
    assert (refused.status_code, ada.get("/api/auth/me").status_code) == (429, 200)

    # As she is told: asking over and over would soon be too many requests by itself.
    time.sleep(int(refused.headers["Retry-After"]))

    assert stranger.post("/api/auth/login", ada.credentials).status_code == 200
