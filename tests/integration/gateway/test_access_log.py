"""One JSON line per request: enough to follow it, nothing that would be a secret."""

from typing import Any

import pytest

from tests.integration.gateway.conftest import Shop
from tests.integration.gateway.services import hang_up

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def the_line(shop: Shop, request_id: str) -> dict[str, Any]:
    """The log is written when nginx gets to it: look until it is there, or the test times out."""
    while True:
        for line in shop.gateway.log_lines():
            if line["request_id"] == request_id:
                return line


def test_a_line_tells_who_asked_what_of_whom_and_how_it_went(shop: Shop):
    headers = {"X-Request-ID": "log-1", "User-Agent": "phone/1", "traceparent": TRACE}
    shop.gateway.get("/api/products/red-shirt?q=a", headers)

    line = the_line(shop, "log-1")
    assert line["method"] == "GET"
    assert line["path"] == "/api/products/red-shirt"
    assert line["host"] == "shop.test"
    assert line["status"] == 200
    assert line["client"] == "127.0.0.1"
    assert line["upstream"] == shop.services["catalog"].address
    assert line["upstream_status"] == "200"
    assert 0 <= float(line["upstream_seconds"]) < 60
    assert 0 <= line["seconds"] < 60
    assert line["user_agent"] == "phone/1"
    assert line["traceparent"] == TRACE


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/nowhere", 404),
        ("BREW", "/api/products", 405),
        ("POST", "/api/auth/login", 413),
        ("POST", "/api/pay", 502),
    ],
)
def test_a_line_names_the_method_that_was_asked_though_nginx_answers_itself(
    shop: Shop, method: str, path: str, status: int
):
    shop.services["payments"].behaviour = hang_up
    headers = {"X-Request-ID": f"log-own-{status}"}
    if status == 413:
        headers["Content-Length"] = str(2**20 + 1)
    shop.gateway.request(method, path, headers)

    line = the_line(shop, f"log-own-{status}")
    assert (line["method"], line["status"]) == (method, status)


def test_no_secret_is_written(shop: Shop):
    headers = {
        "X-Request-ID": "log-2",
        "Authorization": "Bearer CANARY",
        "Cookie": "oja_session=CANARY",
        "X-CSRF-Token": "CANARY",
        "Idempotency-Key": "CANARY",
        "Referer": "http://shop.test/reset?token=CANARY",
        "X-Paystack-Signature": "CANARY",
    }
    shop.gateway.request("POST", "/api/auth/email/verify?token=CANARY", headers, b'"CANARY"')

    assert "CANARY" not in str(the_line(shop, "log-2"))


def test_the_error_log_repeats_no_query_either(shop: Shop):
    shop.services["payments"].behaviour = hang_up
    shop.gateway.get("/api/payments?token=CANARY", {"Referer": "http://shop.test/?t=CANARY"})

    assert "CANARY" not in (shop.gateway.folder / "error.log").read_text()


@pytest.mark.parametrize("junk", ['"}\\n{"x": "', "\xff\xfe", "\x01\x02", "é" * 50])
def test_a_client_cannot_write_lines_of_its_own(shop: Shop, junk: str):
    request_id = f"log-3-{abs(hash(junk))}"
    headers = {"X-Request-ID": request_id, "User-Agent": junk, "traceparent": junk}
    shop.gateway.get(f"/nowhere/{junk}", headers)
    shop.gateway.get("/nowhere", headers | {"X-Request-ID": f"{request_id}-next"})

    assert the_line(shop, f"{request_id}-next")["status"] == 404


def test_errors_are_logged_with_the_id_that_the_client_was_told(shop: Shop):
    answer = shop.gateway.get("/nowhere")

    assert the_line(shop, answer.header("X-Request-ID") or "")["path"] == "/nowhere"
