"""Counting in Redis: for all processes together, and what happens while it is away (S08, S55)."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from flask import Flask

from oja_web import shared_redis
from oja_web.testing import problem
from tests.support.redis import PrivateRedis, private_redis
from tests.support.throttled import ADA, RATES, Caller, throttled_app
from tests.support.waiting import wait_until

# Read before the fixtures of integration tests give Redis more time.
AS_SHIPPED = shared_redis.TIMEOUT_SECONDS


@pytest.fixture
def server() -> Iterator[PrivateRedis]:
    with private_redis() as running:
        yield running


@pytest.fixture
def app(server: PrivateRedis) -> Flask:
    return throttled_app(server.url)


def test_s08_all_processes_of_a_service_count_together(app: Flask, server: PrivateRedis) -> None:
    another = throttled_app(server.url)

    assert Caller(app).passes("POST", "/api/auth/login", times=1) == 1
    assert Caller(another).passes("POST", "/api/auth/login") == 1
    assert Caller(app).passes("POST", "/api/auth/login") == 0


def test_s59_keys_carry_the_prefix_of_their_service(app: Flask, server: PrivateRedis) -> None:
    Caller(app).get("/api/products")

    with redis.Redis.from_url(server.url) as client:
        keys = list(client.scan_iter())

    assert keys
    assert all(key.startswith(b"shop:limit:") for key in keys)
    assert all(_seconds_left(server, key) > 0 for key in keys)


def _seconds_left(server: PrivateRedis, key: bytes) -> float:
    with redis.Redis.from_url(server.url) as client:
        return float(client.pttl(key)) / 1000


def test_a_counted_request_costs_one_round_trip(app: Flask, server: PrivateRedis) -> None:
    caller = Caller(app, user=ADA)
    caller.get("/api/cart")
    with redis.Redis.from_url(server.url) as client:
        client.config_resetstat()

        caller.get("/api/cart")
        asked = client.info("commandstats")

    assert asked["cmdstat_evalsha"]["calls"] == 1


def test_s55_a_window_slides(server: PrivateRedis) -> None:
    """After the window some of the old requests still count, after two of them none."""
    caller = Caller(throttled_app(server.url, RATES | {"anonymous": "4 per hour"}))
    passed = []

    for minutes in (0, 85, 120):
        server.later(minutes * 60)
        passed.append(caller.passes("GET", "/api/products"))

    assert passed == [4, 2, 4]


def test_s55_without_redis_reads_are_counted_by_each_process(
    app: Flask, server: PrivateRedis
) -> None:
    server.stop()

    assert Caller(app).passes("GET", "/api/products") == 3
    assert Caller(app, user=ADA).passes("GET", "/api/cart") == 5


def test_s55_without_redis_what_must_be_counted_is_refused_with_503(
    app: Flask, server: PrivateRedis
) -> None:
    server.stop()

    for refused in (Caller(app).post("/api/auth/login"), Caller(app, user=ADA).post("/api/pay")):
        problem(refused, 503, "unavailable")
        assert refused.headers["Retry-After"] == "1"


def test_s55_when_redis_is_back_it_is_used_again_by_itself(
    app: Flask, server: PrivateRedis
) -> None:
    caller = Caller(app)
    assert caller.passes("POST", "/api/auth/login") == 2
    server.stop()
    problem(caller.post("/api/auth/login"), 503)
    caller.get("/api/products")

    server.start()

    wait_until(lambda: caller.post("/api/auth/login").status_code == 204)
    assert Caller(throttled_app(server.url)).passes("POST", "/api/auth/login") == 1


def test_a_redis_that_hangs_holds_nobody_up_for_long(
    server: PrivateRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_redis, "TIMEOUT_SECONDS", AS_SHIPPED)
    app = throttled_app(server.url)
    caller = Caller(app)
    caller.get("/api/products")
    server.freeze()
    started = time.monotonic()

    with ThreadPoolExecutor(8) as pool:
        people = [Caller(app, f"192.0.2.{n}") for n in range(8)]
        answers = list(pool.map(lambda each: each.get("/api/products"), 2 * people))

    assert [answer.status_code for answer in answers] == [200] * 16
    assert time.monotonic() - started < 16 * AS_SHIPPED
    server.thaw()
    wait_until(lambda: caller.post("/api/auth/login").status_code == 204)
