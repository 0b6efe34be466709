"""Every error that the gateway makes has the services' shape and says nothing about nginx."""

import re

import pytest

from tests.integration.gateway.client import Answer
from tests.integration.gateway.conftest import Shop

MEMBERS = {"type", "title", "status", "detail", "instance", "code", "request_id"}


def assert_is_a_problem(answer: Answer, status: int, code: str) -> None:
    problem = answer.json()
    assert answer.status == status
    assert answer.header("Content-Type") == "application/problem+json"
    assert set(problem) == MEMBERS
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["request_id"] == answer.header("X-Request-ID")
    assert not re.search(rb"nginx|<html", answer.body, re.IGNORECASE)
    assert answer.header("X-Content-Type-Options") == "nosniff"


def test_s53_an_unknown_path_is_a_404_that_names_it_without_its_query(shop: Shop):
    answer = shop.gateway.get("/nowhere/at.html?token=secret", {"X-Request-ID": "r-1"})

    assert_is_a_problem(answer, 404, "not_found")
    assert answer.json()["instance"] == "/nowhere/at.html"
    assert answer.json()["request_id"] == "r-1"


@pytest.mark.parametrize(
    "path",
    ['/x","admin":true,"y":"', "/x\\u0022", "/x\\", "/é", "/<script>alert(1)</script>", "/x\x01"],
)
def test_s53_nothing_that_a_client_writes_can_break_out_of_the_document(shop: Shop, path: str):
    answer = shop.gateway.get(path, {"X-Request-ID": '","x":"'})

    assert answer.status in {400, 404}
    assert set(answer.json()) == MEMBERS
    assert answer.json()["instance"] == "/"


def test_a_broken_request_line_is_a_400(shop: Shop):
    assert_is_a_problem(shop.gateway.send(b"GE T / HTTP/1.1\r\n\r\n"), 400, "bad_request")
    assert_is_a_problem(shop.gateway.send(b"\x16\x03\x01\x02\x00\x01\r\n\r\n"), 400, "bad_request")
    assert_is_a_problem(shop.gateway.send(b"GET / HTTP/1.1\r\n\r\n"), 400, "bad_request")


@pytest.mark.parametrize("method", ["TRACE", "BREW", "PROPFIND", "DEBUG", "TRACK"])
def test_s58_undeclared_methods_are_405_with_those_that_are_allowed(shop: Shop, method: str):
    answer = shop.gateway.request(method, "/api/products")

    assert_is_a_problem(answer, 405, "method_not_allowed")
    assert "GET" in (answer.header("Allow") or "")
    assert shop.reached() == []


@pytest.mark.parametrize("target", ["shop.test:80", "/api/products", "127.0.0.1:5432"])
def test_the_gateway_is_no_tunnel(shop: Shop, target: str):
    assert shop.gateway.request("CONNECT", target).status in {400, 405}
    assert shop.reached() == []


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/docs/index.html", "/openapi/catalog.json"]
)
def test_the_gateways_own_pages_are_only_read(shop: Shop, path: str):
    answer = shop.gateway.request("POST", path, body=b"{}")

    assert_is_a_problem(answer, 405, "method_not_allowed")
    assert answer.header("Allow") == "GET, HEAD"
    assert shop.reached() == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_declared_methods_are_the_services_to_judge(shop: Shop, method: str):
    assert shop.gateway.request(method, "/api/products").status == 200
    assert shop.the_only_request().method == method


@pytest.mark.parametrize(
    "host", ["evil.test", "shop.test.evil.test", "evil.test:80", "127.0.0.2", "xshop.test", "[::1]"]
)
def test_s58_a_host_that_is_not_ours_is_refused(shop: Shop, host: str):
    assert_is_a_problem(shop.gateway.get("/api/products", {"Host": host}), 421, "unknown_host")
    assert shop.reached() == []


def test_the_host_of_an_absolute_address_counts(shop: Shop):
    answer = shop.gateway.get("http://evil.test/api/products")

    assert_is_a_problem(answer, 421, "unknown_host")


def test_a_request_without_any_host_is_refused(shop: Shop):
    answer = shop.gateway.send(b"GET /api/products HTTP/1.0\r\n\r\n")

    assert_is_a_problem(answer, 421, "unknown_host")


@pytest.mark.parametrize("host", ["shop.test", "SHOP.test", "shop.test:8080", "127.0.0.1:8080"])
def test_our_own_names_are_served_with_any_port(shop: Shop, host: str):
    assert shop.gateway.get("/api/products", {"Host": host}).status == 200


def test_a_body_over_one_mebibyte_is_a_413_before_it_is_sent(shop: Shop):
    too_long = {"Content-Length": str(2**20 + 1)}

    assert_is_a_problem(
        shop.gateway.request("POST", "/api/checkout", too_long), 413, "content_too_large"
    )
    assert shop.reached() == []


def test_a_body_of_one_mebibyte_passes(shop: Shop):
    assert shop.gateway.request("POST", "/api/checkout", body=b"x" * 2**20).status == 200
    assert len(shop.the_only_request().body) == 2**20


def test_a_chunked_body_is_measured_too(shop: Shop):
    head = b"POST /api/pay HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = shop.gateway.send(head + b"100001\r\n" + b"x" * (2**20 + 1) + b"\r\n0\r\n\r\n")

    assert_is_a_problem(answer, 413, "content_too_large")
    assert shop.reached() == []


@pytest.mark.parametrize(
    ("path", "mebibytes"),
    [("/api/admin/products/1/images", 10), ("/api/admin/products/import", 64)],
)
def test_uploads_may_have_so_many_mebibytes_and_no_more(shop: Shop, path: str, mebibytes: int):
    over = shop.gateway.request("POST", path, {"Content-Length": str(mebibytes * 2**20 + 1)})
    assert_is_a_problem(over, 413, "content_too_large")

    assert shop.gateway.request("POST", path, body=b"x" * (10 * 2**20)).status == 200


def test_headers_and_addresses_have_an_end(shop: Shop):
    long_header = shop.gateway.get("/api/products", {"X-Long": "x" * 9000})
    assert_is_a_problem(long_header, 431, "headers_too_large")

    many_headers = shop.gateway.get("/api/products", [(f"X-{n}", "x" * 4000) for n in range(12)])
    assert_is_a_problem(many_headers, 431, "headers_too_large")

    assert_is_a_problem(shop.gateway.get("/api/products?q=" + "x" * 9000), 414, "uri_too_long")


def test_a_head_request_gets_the_headers_of_the_problem_and_no_body(shop: Shop):
    answer = shop.gateway.request("HEAD", "/nowhere")

    assert answer.status == 404
    assert answer.header("Content-Type") == "application/problem+json"
    assert answer.body == b""
