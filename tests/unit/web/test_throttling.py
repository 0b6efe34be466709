"""Who is counted, how, and what they are told (S54, S55)."""

import pytest
from flask import Flask

from oja_web.testing import problem
from oja_web.throttling import Throttling, network, quota_exceeded
from tests.support.throttled import ADA, RATES, ZOE, Caller, throttled_app


@pytest.fixture
def app() -> Flask:
    return throttled_app()


def test_s55_strangers_are_counted_by_address(app: Flask) -> None:
    assert Caller(app, "192.0.2.1").passes("GET", "/api/products") == 3
    assert Caller(app, "192.0.2.2").passes("GET", "/api/products") == 3


def test_s55_routes_without_a_limit_of_their_own_are_counted_together(app: Flask) -> None:
    caller = Caller(app)
    caller.get("/api/tags")

    assert caller.passes("GET", "/api/products") == 2


def test_s55_two_users_behind_one_address_are_separate(app: Flask) -> None:
    assert Caller(app, user=ADA).passes("GET", "/api/cart") == 5
    assert Caller(app, user=ZOE).passes("GET", "/api/cart") == 5


def test_s55_a_user_is_the_same_everywhere(app: Flask) -> None:
    assert Caller(app, "192.0.2.1", ADA).passes("GET", "/api/cart", times=4) == 4

    assert Caller(app, "192.0.2.2", ADA).passes("GET", "/api/cart") == 1


def test_s55_who_signed_in_has_more_than_strangers_on_public_routes(app: Flask) -> None:
    assert Caller(app, user=ADA).passes("GET", "/api/products") == 5


def test_s55_a_token_that_is_not_good_does_not_get_a_stranger_further(app: Flask) -> None:
    caller = Caller(app)
    for attempt in range(3):
        refused = caller.get("/api/cart", Authorization=f"Bearer a.b{attempt}.c")
        problem(refused, 401, "unauthenticated")

    problem(caller.get("/api/cart", Authorization="Bearer a.b.c"), 429, "too_many_requests")
    problem(caller.get("/api/products"), 429, "too_many_requests")


def test_s55_a_tighter_route_counts_apart_from_the_rest(app: Flask) -> None:
    caller = Caller(app)

    assert caller.passes("POST", "/api/auth/login") == 2
    assert caller.passes("GET", "/api/products") == 3


def test_s55_what_comes_before_signing_in_is_counted_by_address_whatever_token_is_shown(
    app: Flask,
) -> None:
    assert Caller(app, user=ADA).passes("POST", "/api/auth/login") == 2
    assert Caller(app, user=ZOE).passes("POST", "/api/auth/login") == 0


def test_s54_only_the_address_that_the_gateway_saw_counts(app: Flask) -> None:
    """The gateway writes the last entry; all before it is what the client made up (M4)."""
    seen = [Caller(app, f"203.0.113.{n}, 192.0.2.1").get("/api/products") for n in range(4)]

    assert [answer.status_code for answer in seen] == [200, 200, 200, 429]


@pytest.mark.parametrize("header", ["X-Real-IP", "Forwarded", "True-Client-IP", "Client-IP"])
def test_s54_other_headers_that_name_an_address_change_nothing(app: Flask, header: str) -> None:
    caller = Caller(app)
    seen = [caller.get("/api/products", **{header: f"203.0.113.{n}"}) for n in range(4)]

    assert [answer.status_code for answer in seen] == [200, 200, 200, 429]


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::"),
        ("unknown", "unknown"),
        (None, "unknown"),
    ],
)
def test_s08_an_ipv6_network_is_one_caller(address: str | None, counted: str) -> None:
    assert network(address) == counted


def test_s55_a_refusal_says_why_and_when_to_come_back(app: Flask) -> None:
    caller = Caller(app)
    caller.passes("GET", "/api/products")

    refused = caller.get("/api/products")

    problem(refused, 429, "too_many_requests")
    assert refused.headers["RateLimit-Policy"] == '"anonymous";q=3;w=3600'
    wait = int(refused.headers["Retry-After"])
    assert 1 <= wait <= 3601
    assert refused.headers["RateLimit"] == f'"anonymous";r=0;t={wait}'
    assert "192.0.2.1" not in str(refused.headers)


def test_s55_every_counted_answer_says_how_much_is_left(app: Flask) -> None:
    caller = Caller(app, user=ADA)

    left = [caller.get("/api/cart").headers["RateLimit"].partition(";t=")[0] for _ in range(2)]

    assert left == ['"signed_in";r=4', '"signed_in";r=3']


def test_s06_before_signing_in_all_answers_are_the_same_until_one_is_refused(app: Flask) -> None:
    caller = Caller(app)
    answers = [caller.post("/api/auth/login", **{"X-Request-ID": "same"}) for _ in range(3)]

    assert answers[0].headers.to_wsgi_list() == answers[1].headers.to_wsgi_list()
    assert "RateLimit" not in answers[1].headers
    assert answers[2].headers["RateLimit"].startswith('"login";r=0;t=')


def test_s55_two_rates_are_two_policies(app: Flask) -> None:
    answer = Caller(app, user=ADA).post("/api/pay")

    assert answer.headers.getlist("RateLimit-Policy") == [
        '"pay-60s";q=2;w=60',
        '"pay-3600s";q=3;w=3600',
    ]
    assert Caller(app, user=ADA).passes("POST", "/api/pay") == 1


def test_what_is_not_counted_says_nothing_of_limits(app: Flask) -> None:
    caller = Caller(app)

    assert caller.passes("POST", "/api/webhook") == 20
    assert caller.passes("GET", "/internal/livez") == 20
    assert "RateLimit" not in caller.post("/api/webhook").headers


def test_openapi_tells_of_429_where_requests_are_counted_and_of_503_where_they_must_be(
    app: Flask,
) -> None:
    paths = Caller(app).get("/openapi.json").get_json()["paths"]

    assert set(paths["/api/products"]["get"]["responses"]) >= {"200", "429"}
    assert "503" not in paths["/api/products"]["get"]["responses"]
    assert set(paths["/api/auth/login"]["post"]["responses"]) >= {"204", "429", "503"}
    assert "429" not in paths["/api/webhook"]["post"]["responses"]


def test_a_route_whose_limit_has_no_rate_is_found_at_the_start() -> None:
    with pytest.raises(RuntimeError, match="pay"):
        throttled_app(rates={name: rate for name, rate in RATES.items() if name != "pay"})


@pytest.mark.parametrize("rate", ["", " ", "many per hour", "5"])
def test_a_rate_that_cannot_be_read_is_found_at_the_start(rate: str) -> None:
    with pytest.raises(ValueError, match=r"rate|parse"):
        Throttling({"login": rate})


def test_a_wait_is_rounded_up_so_that_nobody_comes_back_too_early() -> None:
    told = quota_exceeded("login-failures", quota=10, window=3600, wait=0.2)

    assert told.headers["Retry-After"] == "1"
    assert quota_exceeded("x", quota=1, window=1, wait=2.01).headers["Retry-After"] == "3"
