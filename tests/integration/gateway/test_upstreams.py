"""Services that are down, slow, restarted or many."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.gateway.conftest import Shop
from tests.integration.gateway.services import HangUp, Received, Reply
from tests.integration.gateway.test_problems import assert_is_a_problem


@pytest.fixture
def hasty_shop(tmp_path: Path) -> Iterator[Shop]:
    """One whose gateway waits for nobody longer than a second."""
    shop = Shop(tmp_path, client_timeout="1s", upstream_timeout="1s")
    yield shop
    shop.stop()


def hang_up_once(shop: Shop):
    """The first instance of notifier that is asked dies; whoever is asked next is fine."""
    calls: list[Received] = []

    def behaviour(request: Received) -> Reply:
        calls.append(request)
        if len(calls) == 1:
            raise HangUp
        return Reply()

    for service in (shop.services["notifier"], shop.second_notifier):
        service.behaviour = behaviour
    return calls


def test_a_service_that_is_down_is_a_502_and_is_back_with_its_first_new_request(shop: Shop):
    payments = shop.services["payments"]
    payments.stop()
    try:
        down = [shop.gateway.get("/api/payments") for _ in range(5)]
    finally:
        payments.start()

    for answer in down:
        assert_is_a_problem(answer, 502, "bad_gateway")
        assert answer.header("Retry-After") == "1"
    assert shop.gateway.get("/api/payments").json() == {"service": "payments"}


def test_readyz_is_a_503_while_identity_is_down(shop: Shop):
    identity = shop.services["identity"]
    identity.stop()
    try:
        answer = shop.gateway.get("/readyz")
    finally:
        identity.start()

    assert_is_a_problem(answer, 503, "unavailable")


def test_a_services_own_not_ready_passes_through_readyz(shop: Shop):
    body = json.dumps({"status": "unready", "services": {"catalog": "unready"}}).encode()
    shop.services["identity"].behaviour = lambda _: Reply(503, body=body)

    answer = shop.gateway.get("/readyz")
    assert (answer.status, answer.body) == (503, body)


def test_every_request_finds_the_instance_that_lives_and_arrives_once(shop: Shop):
    for number in range(10):
        answer = shop.gateway.request("POST", "/api/orders/1/cancel", body=str(number).encode())
        assert answer.status == 200

    assert [r.body for r in shop.services["ordering"].received] == [b"%d" % n for n in range(10)]


def test_load_goes_to_all_instances(shop: Shop):
    for _ in range(10):
        shop.gateway.get("/api/admin/alerts")

    assert len(shop.services["notifier"].received) == 5
    assert len(shop.second_notifier.received) == 5


def test_a_read_that_an_instance_died_on_is_asked_of_the_other(shop: Shop):
    calls = hang_up_once(shop)

    assert shop.gateway.get("/api/admin/alerts").status == 200
    assert len(calls) == 2


def test_a_write_that_an_instance_died_on_is_never_repeated(shop: Shop):
    for method in ("POST", "PATCH"):
        calls = hang_up_once(shop)
        answer = shop.gateway.request(method, "/api/admin/alerts/1/acknowledge", body=b"{}")

        assert_is_a_problem(answer, 502, "bad_gateway")
        assert len(calls) == 1


def test_a_service_that_does_not_answer_in_time_is_a_504(hasty_shop: Shop):
    answered = threading.Event()

    def too_late(request: Received) -> Reply:
        answered.wait(30)
        raise HangUp

    hasty_shop.services["payments"].behaviour = too_late
    answer = hasty_shop.gateway.request("POST", "/api/pay", body=b"{}")
    answered.set()

    assert_is_a_problem(answer, 504, "gateway_timeout")
    assert hasty_shop.reached() == ["payments"]


def test_connections_to_a_service_are_kept(shop: Shop):
    shop.gateway.get("/api/products")
    before = shop.services["catalog"].connections

    for _ in range(20):
        shop.gateway.get("/api/products")

    assert shop.services["catalog"].connections == before


def test_a_client_that_never_finishes_its_request_is_hung_up_on(hasty_shop: Shop):
    for unfinished in (
        b"GET /api/products HTTP/1.1\r\nHost: shop.test\r\nX-Slow: ",
        b"POST /api/pay HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 100\r\n\r\nabc",
    ):
        address = ("127.0.0.1", hasty_shop.gateway.port)
        with socket.create_connection(address, timeout=30) as client:
            client.sendall(unfinished)
            assert is_hung_up_on(client)
    assert hasty_shop.reached() == []


def is_hung_up_on(client: socket.socket) -> bool:
    try:
        return b" 200 " not in client.recv(4096)
    except ConnectionResetError:
        return True
