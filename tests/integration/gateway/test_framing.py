"""Requests whose end two readers could see in two places are refused, and the connection ends."""

import pytest

from tests.integration.gateway.conftest import Shop

SMUGGLED = b"GET /api/admin/users HTTP/1.1\r\nHost: shop.test\r\n\r\n"
CHUNKED_END = b"0\r\n\r\n"

AMBIGUOUS = {
    "both lengths": b"Content-Length: 5\r\nTransfer-Encoding: chunked",
    "both lengths, other order": b"Transfer-Encoding: chunked\r\nContent-Length: 5",
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6",
    "two equal lengths": b"Content-Length: 5\r\nContent-Length: 5",
    "a list of lengths": b"Content-Length: 5, 5",
    "a signed length": b"Content-Length: +5",
    "a negative length": b"Content-Length: -5",
    "a hexadecimal length": b"Content-Length: 0x5",
    "an overflowing length": b"Content-Length: 99999999999999999999999",
    "an unknown coding": b"Transfer-Encoding: xchunked",
    "chunked twice": b"Transfer-Encoding: chunked, chunked",
    "two codings": b"Transfer-Encoding: gzip, chunked",
    "two coding headers": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "a quoted coding": b'Transfer-Encoding: "chunked"',
    "a blank before the colon": b"Transfer-Encoding : chunked",
    "a tab before the colon": b"Transfer-Encoding\t: chunked",
    "a folded line": b"Transfer-Encoding:\r\n chunked",
    "a line that begins blank": b" Transfer-Encoding: chunked",
    "a bare CR": b"X: y\rTransfer-Encoding: chunked",
    "a NUL in a header": b"X: a\x00b",
    "two hosts": b"Host: evil.test",
}


@pytest.mark.parametrize("lines", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
def test_s57_ambiguous_framing_is_refused_and_ends_the_connection(shop: Shop, lines: bytes):
    head = b"POST /api/cart/items HTTP/1.1\r\nHost: shop.test\r\n" + lines + b"\r\n\r\n"
    answer = shop.gateway.send(head + CHUNKED_END + SMUGGLED, watch=True)

    assert answer.status in {400, 501}
    assert answer.json()["status"] == answer.status
    assert answer.closed
    assert shop.reached() == []


@pytest.mark.parametrize(
    "chunks",
    [
        b"FFFFFFFFFFFFFFFFF\r\nabc\r\n",
        b"-1\r\nabc\r\n",
        b"0x3\r\nabc\r\n",
        b"zz\r\nabc\r\n",
        b"3\r\nabcd\r\n",
    ],
)
def test_s57_chunks_that_do_not_add_up_are_refused(shop: Shop, chunks: bytes):
    head = b"POST /api/cart/items HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = shop.gateway.send(head + chunks + CHUNKED_END + SMUGGLED, watch=True)

    assert answer.status in {400, 413}
    assert answer.closed
    assert shop.reached() == []


def test_s57_chunks_are_not_a_thing_of_http_1_0(shop: Shop):
    head = b"POST /api/cart/items HTTP/1.0\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = shop.gateway.send(head + CHUNKED_END + SMUGGLED, watch=True)

    assert answer.status in {400, 501}
    assert answer.closed
    assert shop.reached() == []


def test_s57_lines_that_end_without_cr_reach_a_service_only_in_proper_form(shop: Shop):
    shop.gateway.send(b"POST /api/cart/items HTTP/1.1\nHost: shop.test\nContent-Length: 3\n\nabc")

    request = shop.the_only_request()
    assert (request.body, request.header("Content-Length")) == (b"abc", "3")


def test_s57_a_refused_connection_leaves_the_next_one_clean(shop: Shop):
    head = b"POST /api/cart/items HTTP/1.1\r\nHost: shop.test\r\n" + AMBIGUOUS["both lengths"]
    shop.gateway.send(head + b"\r\n\r\n" + CHUNKED_END + SMUGGLED)

    assert shop.gateway.get("/api/products").json() == {"service": "catalog"}
    assert shop.reached() == ["catalog"]


def test_an_upgrade_is_not_offered(shop: Shop):
    headers = {"Connection": "Upgrade", "Upgrade": "websocket"}
    answer = shop.gateway.get("/api/products", headers)

    assert answer.status == 200
    assert shop.the_only_request().header("Upgrade") is None
