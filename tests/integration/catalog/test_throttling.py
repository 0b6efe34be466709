"""What is counted of people who look around, and what they may write (S55)."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from catalog.bootstrap import Dependencies, build
from catalog.entrypoints.http.app import create_app
from oja_web.testing import problem
from tests.support.redis import PrivateRedis, private_redis

RATES = {
    "anonymous": "100 per hour",
    "signed_in": "100 per hour",
    "browsing": "3 per hour",
    "reviews": "1 per hour",
    "uploads": "1 per hour",
}


@pytest.fixture
def redis_server() -> Iterator[PrivateRedis]:
    with private_redis() as server:
        yield server


@pytest.fixture
def client(deps: Dependencies, redis_server: PrivateRedis) -> Iterator[FlaskClient]:
    """A shop that remembers, and is stingy."""
    wired = build(replace(deps.settings, redis_url=redis_server.url, rates=RATES))
    yield create_app(wired.settings, wired).test_client()
    wired.engine.dispose()


def ask(client: FlaskClient, number: int) -> int:
    """A question for each number, all with one answer."""
    return client.get(f"/api/products?max_price={number}").status_code


def test_s55_questions_that_are_answered_from_memory_are_not_counted(client: FlaskClient) -> None:
    assert [ask(client, 1) for _ in range(20)] == [200] * 20

    assert [ask(client, number) for number in (2, 3, 4)] == [200, 200, 429]
    assert ask(client, 1) == 200


def test_s55_a_refusal_is_told_to_one_caller_and_remembered_for_nobody(
    client: FlaskClient,
) -> None:
    for number in range(3):
        ask(client, number)
    refused = client.get("/api/products?max_price=9")

    problem(refused, 429, "too_many_requests")
    assert int(refused.headers["Retry-After"]) > 0
    elsewhere = client.get("/api/products?max_price=9", headers={"X-Forwarded-For": "198.51.100.7"})
    assert elsewhere.status_code == 200


def test_s55_without_redis_people_look_around_and_are_counted_all_the_same(
    client: FlaskClient, redis_server: PrivateRedis
) -> None:
    redis_server.stop()

    assert [ask(client, number) for number in range(4)] == [200, 200, 200, 429]
