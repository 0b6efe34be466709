"""Guessing passwords at the real service, with the limits that ship (S06, S08, S55)."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import redis
from flask import Flask
from werkzeug.test import TestResponse

from identity.adapters.strikes import RedisStrikes
from identity.bootstrap import Dependencies, build
from identity.entrypoints.http.app import create_app
from identity.settings import Settings, SignInSettings
from oja_web.shared_redis import SharedRedis
from oja_web.testing import bearer, problem
from tests.integration.identity.conftest import PASSWORD, Database, an_email, registration
from tests.support.redis import PrivateRedis, private_redis
from tests.support.waiting import wait_until
from tests.unit.identity.strikes_contract import Later, StrikesContract

ELSEWHERE = "198.51.100."


@pytest.fixture
def server() -> Iterator[PrivateRedis]:
    with private_redis() as running:
        yield running


@pytest.fixture
def later(server: PrivateRedis) -> Later:
    return server.later


class TestStrikesInRedis(StrikesContract):
    @pytest.fixture
    def strikes(self, server: PrivateRedis) -> RedisStrikes:
        return RedisStrikes(SharedRedis(server.url))


@pytest.fixture
def deployed(settings: Settings, server: PrivateRedis) -> Iterator[Dependencies]:
    """The service as it ships, with a Redis that may be stopped."""
    shipped = Settings.__dataclass_fields__["rates"].default_factory()  # type: ignore[misc]
    own = replace(settings, redis_url=server.url, sign_in=SignInSettings(), rates=shipped)
    wired = build(own, pool_size=12)
    yield wired
    wired.engine.dispose()


@pytest.fixture
def shop(deployed: Dependencies) -> Flask:
    return create_app(deployed.settings, deployed)


def post(app: Flask, path: str, body: dict[str, str], seen_at: str = "192.0.2.1") -> TestResponse:
    """As the gateway hands it over: it has written where the client is, behind what that said."""
    seen = {"X-Forwarded-For": f"203.0.113.77, {seen_at}"}
    return app.test_client().post(path, json=body, headers=seen)


def sign_in(app: Flask, email: str, password: str, seen_at: str = "192.0.2.1") -> TestResponse:
    return post(app, "/api/auth/login", {"email": email, "password": password}, seen_at)


@pytest.fixture
def ada(shop: Flask) -> str:
    email = an_email()
    assert post(shop, "/api/auth/register", registration(email)).status_code == 201
    return email


@pytest.mark.parametrize("known", [True, False], ids=["an account", "no account"])
def test_s08_the_eleventh_wrong_password_for_an_account_is_refused_wherever_each_came_from(
    shop: Flask, ada: str, known: bool
) -> None:
    email = ada if known else an_email()
    answers = [sign_in(shop, email, "wrong", f"{ELSEWHERE}{n}") for n in range(11)]

    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    refused = answers[-1]
    assert problem(refused, 429, "too_many_requests")["detail"].startswith("There were too many")
    assert 1 <= int(refused.headers["Retry-After"]) <= 10
    wait = refused.headers["Retry-After"]
    assert f'"login-account";r=0;t={wait}' in refused.headers.getlist("RateLimit")
    assert '"login-account";q=10;w=86400' in refused.headers.getlist("RateLimit-Policy")


def test_s08_the_right_password_waits_too_and_then_clears_the_account(
    shop: Flask, ada: str, later: Later
) -> None:
    for n in range(10):
        sign_in(shop, ada, "wrong", f"{ELSEWHERE}{n}")
    problem(sign_in(shop, ada, PASSWORD), 429)

    later(10)

    assert sign_in(shop, ada, PASSWORD).status_code == 200
    assert [sign_in(shop, ada, "wrong").status_code for _ in range(9)] == [401] * 9


def test_s08_two_instances_add_up(shop: Flask, deployed: Dependencies, ada: str) -> None:
    another = build(deployed.settings)
    twin = create_app(another.settings, another)
    try:
        for n in range(5):
            sign_in(shop, ada, "wrong", f"{ELSEWHERE}{n}")
            sign_in(twin, ada, "wrong", f"{ELSEWHERE}{n + 100}")

        problem(sign_in(shop, ada, PASSWORD), 429)
        problem(sign_in(twin, ada, PASSWORD), 429)
    finally:
        another.engine.dispose()


def test_s08_the_console_and_the_shop_count_the_same_account(shop: Flask, ada: str) -> None:
    guess = {"email": ada, "password": "wrong"}
    for n in range(5):
        post(shop, "/api/admin/session", guess, f"{ELSEWHERE}{n}")
        post(shop, "/api/auth/login", guess, f"{ELSEWHERE}{n + 100}")

    problem(post(shop, "/api/admin/session", guess), 429)
    problem(post(shop, "/api/auth/login", guess), 429)


ASKING_AGAIN = {
    "/api/auth/password/change": {
        "current_password": "wrong",
        "password": "another horse",
        "password_confirm": "another horse",
    },
    "/api/auth/email/change": {"email": "elsewhere@example.com", "password": "wrong"},
    "/api/auth/me": {"password": "wrong"},
}


def test_s08_whoever_guesses_with_a_token_guesses_at_the_same_account(
    shop: Flask, ada: str, database: Database
) -> None:
    headers = bearer(sign_in(shop, ada, PASSWORD).json["access_token"])
    for path, body in ASKING_AGAIN.items():
        method = "DELETE" if path.endswith("/me") else "POST"
        for _ in range(3):
            answer = shop.test_client().open(path, method=method, json=body, headers=headers)
            problem(answer, 422, "invalid")
    problem(sign_in(shop, ada, "wrong"), 401)

    refused = sign_in(shop, ada, PASSWORD)

    problem(refused, 429)
    assert '"login-account";q=10;w=86400' in refused.headers.getlist("RateLimit-Policy")
    noted = (
        "SELECT FROM audit_log JOIN users ON actor_id = users.id"
        " WHERE email = :email AND action = 'reauthentication_failed'"
    )
    assert len(database.rows(noted, email=ada)) == 9


def test_s08_another_spelling_of_the_address_is_the_same_account(shop: Flask, ada: str) -> None:
    for n in range(10):
        sign_in(shop, ada.upper() if n % 2 else ada, "wrong", f"{ELSEWHERE}{n}")

    problem(sign_in(shop, ada, PASSWORD), 429)


def test_s08_many_guesses_at_the_same_time_get_no_further_than_one_after_the_other(
    shop: Flask, ada: str, later: Later
) -> None:
    for n in range(10):
        sign_in(shop, ada, "wrong", f"{ELSEWHERE}{n}")
    later(10)

    with ThreadPoolExecutor(8) as pool:
        guesses = pool.map(lambda n: sign_in(shop, ada, "wrong", f"{ELSEWHERE}{n}"), range(8))
        statuses = sorted(guess.status_code for guess in guesses)

    assert statuses == [401] + [429] * 7


def test_s08_a_network_that_tries_many_accounts_has_to_wait(shop: Flask, ada: str) -> None:
    six = "2001:db8:7:7:"
    guesses = [sign_in(shop, an_email(), "wrong", f"{six}:{n:x}") for n in range(101)]

    assert [guess.status_code for guess in guesses] == [401] * 100 + [429]
    assert sign_in(shop, ada, PASSWORD, "192.0.2.9").status_code == 200


def test_who_has_an_account_cannot_be_asked_in_numbers(shop: Flask, ada: str) -> None:
    asked = [post(shop, "/api/auth/register", registration(ada)).status_code for _ in range(21)]

    assert asked == [409] * 20 + [429]
    elsewhere = post(shop, "/api/auth/register", registration(an_email()), "192.0.2.9")
    assert elsewhere.status_code == 201


def test_nobody_gets_more_than_a_few_links_that_others_asked_for(
    shop: Flask, ada: str, database: Database
) -> None:
    asked = [post(shop, "/api/auth/password/forgot", {"email": ada}) for _ in range(8)]

    assert {answer.status_code for answer in asked} == {202}
    noted = database.rows(
        "SELECT 1 FROM forgotten_passwords WHERE email_canonical = :email", email=ada
    )
    assert len(noted) == 5


CLOSED: dict[str, Callable[[], dict[str, str]]] = {
    "/api/auth/login": lambda: {"email": an_email(), "password": "wrong"},
    "/api/admin/session": lambda: {"email": an_email(), "password": "wrong"},
    "/api/auth/register": lambda: registration(an_email()),
    "/api/auth/password/forgot": lambda: {"email": an_email()},
    "/api/auth/password/reset": lambda: {
        "token": "t" * 43,
        "password": PASSWORD,
        "password_confirm": PASSWORD,
    },
    "/api/auth/email/verify": lambda: {"token": "t" * 43},
}


@pytest.mark.parametrize("path", CLOSED)
def test_s55_without_redis_nobody_may_guess_and_with_it_all_is_well_again(
    shop: Flask, server: PrivateRedis, path: str
) -> None:
    body = CLOSED[path]()
    server.stop()
    refused = post(shop, path, body)

    problem(refused, 503, "unavailable")
    assert refused.headers["Retry-After"] == "1"
    server.start()
    wait_until(lambda: post(shop, path, body).status_code != 503)


def test_s55_without_redis_those_who_are_in_stay_in(
    shop: Flask, server: PrivateRedis, ada: str
) -> None:
    tokens = sign_in(shop, ada, PASSWORD).get_json()
    server.stop()

    shown = shop.test_client().get(
        "/api/auth/me", headers={"Authorization": f"Bearer {tokens['access_token']}"}
    )
    renewed = post(shop, "/api/auth/refresh", {"refresh_token": tokens["refresh_token"]})

    assert (shown.status_code, renewed.status_code) == (200, 200)


def test_redis_knows_no_email_address(shop: Flask, server: PrivateRedis, ada: str) -> None:
    sign_in(shop, ada, "wrong")

    with redis.Redis.from_url(server.url) as client:
        names = b" ".join(client.scan_iter())

    assert b"identity:strikes:login-account:" in names
    assert b"example.com" not in names
