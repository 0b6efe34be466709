"""Whose requests are counted, seen from outside: a real gateway before a service that counts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from oja_web.testing import bearer, make_token
from tests.integration.gateway.client import Answer
from tests.integration.gateway.conftest import SERVICES, a_docs_folder
from tests.integration.gateway.nginx import Nginx
from tests.support.throttled import ADA, KEYS, RATES, ZOE, throttled_app

# All that a client may try in order to look like somebody else.
DISGUISES = [
    [("X-Forwarded-For", "203.0.113.{n}")],
    [("X-Forwarded-For", "203.0.113.{n}, 198.51.100.{n}")],
    [("X-Forwarded-For", "203.0.113.{n}"), ("X-Forwarded-For", "198.51.100.{n}")],
    [("x-forwarded-for", "2001:db8:{n}::1")],
    [("X_Forwarded_For", "203.0.113.{n}")],
    [("X-Real-IP", "203.0.113.{n}")],
    [("Forwarded", "for=203.0.113.{n}")],
    [("True-Client-IP", "203.0.113.{n}")],
    [("CF-Connecting-IP", "203.0.113.{n}")],
    [("Connection", "X-Forwarded-For"), ("X-Forwarded-For", "203.0.113.{n}")],
]


@contextmanager
def gateway_before_a_service(
    folder: Path, rates: dict[str, str] = RATES, **variables: object
) -> Iterator[Nginx]:
    server = make_server("127.0.0.1", 0, throttled_app(rates=rates), threaded=True)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    address = f"127.0.0.1:{server.server_port}"
    upstreams = {name: [address] for name in SERVICES}
    gateway = Nginx(folder, upstreams, a_docs_folder(folder), **variables)
    try:
        yield gateway
    finally:
        gateway.stop()
        server.shutdown()
        serving.join(10)
        server.server_close()


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Nginx]:
    with gateway_before_a_service(tmp_path) as running:
        yield running


@pytest.mark.parametrize("disguise", DISGUISES, ids=lambda pairs: "+".join(n for n, _ in pairs))
def test_s54_no_header_makes_a_caller_somebody_else(
    gateway: Nginx, disguise: list[tuple[str, str]]
) -> None:
    answers = []
    for attempt in range(4):
        forged = [(name, value.format(n=attempt)) for name, value in disguise]
        answers.append(gateway.get("/api/products", forged))

    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].json()["code"] == "too_many_requests"
    assert answers[-1].header("Retry-After") is not None
    assert answers[-1].header("RateLimit-Policy") == '"anonymous";q=3;w=3600'


def test_s55_people_who_sign_in_behind_one_address_are_counted_apart(gateway: Nginx) -> None:
    def asks(user: str) -> list[int]:
        token = bearer(make_token(KEYS.private_pem, sub=user))
        return [gateway.get("/api/cart", token).status for _ in range(6)]

    assert asks(ADA) == asks(ZOE) == [200] * 5 + [429]


def test_s54_a_forged_address_does_not_get_anybody_more_tries_to_sign_in(gateway: Nginx) -> None:
    tries = [
        gateway.request("POST", "/api/auth/login", {"X-Forwarded-For": f"203.0.113.{n}"}).status
        for n in range(int(RATES["login"].split()[0]) + 1)
    ]

    assert tries == [204, 204, 429]


def flood(gateway: Nginx, path: str) -> Answer:
    """The first refusal; without one the test fails."""
    for _ in range(50):
        answer = gateway.get(path)
        if answer.status == 429:
            return answer
    pytest.fail("nothing was refused")


@pytest.mark.parametrize("path", ["/api/products", "/openapi/catalog.json", "/readyz"])
def test_s55_a_flood_from_one_address_ends_at_the_gateway(tmp_path: Path, path: str) -> None:
    patient = dict.fromkeys(RATES, "1000 per minute")
    with gateway_before_a_service(tmp_path, patient, caller_rate=1) as gateway:
        refused = flood(gateway, path)

        problem = refused.json()
        assert refused.header("Content-Type") == "application/problem+json"
        assert (problem["status"], problem["code"]) == (429, "too_many_requests")
        assert refused.header("RateLimit-Policy") == '"gateway";q=1;w=1'
        assert refused.header("RateLimit") == '"gateway";r=0;t=1'
        assert refused.header("Retry-After") == "1"
        assert gateway.get("/healthz").status == 200


def test_a_shop_may_do_without_the_flood_guard(tmp_path: Path) -> None:
    with gateway_before_a_service(tmp_path, caller_rate=0) as gateway:
        statuses = {gateway.get("/docs/index.html").status for _ in range(50)}

    assert statuses == {200}
