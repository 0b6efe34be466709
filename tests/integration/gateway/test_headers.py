"""What passes between client and service, and what the gateway adds or takes away."""

import json

import pytest

from tests.integration.gateway.conftest import Shop
from tests.integration.gateway.services import JSON, Reply

FORGED = """
    X-User-Id X-User-Email X-User-Roles X-Role X-Roles X-Permissions X-Forwarded-User
    X-Forwarded-Email X-Remote-User Remote-User X-Auth-Request-User X-Authenticated-User
    X-Oja-Token X_User_Id X_Role X_Forwarded_User X_Forwarded_For Authorization_
    X-Original-URI X-Original-Method X-Real-IP Forwarded True-Client-IP X-Client-IP
    CF-Connecting-IP X-Forwarded-Prefix X-Forwarded-Port X-HTTP-Method-Override X-Rewrite-URL
    Proxy Upgrade TE Keep-Alive
"""


@pytest.mark.parametrize("name", FORGED.split())
def test_s19_a_header_that_claims_an_identity_or_a_way_stops_at_the_gateway(shop: Shop, name: str):
    shop.gateway.get("/api/products", {name: "forged-value"})

    assert "forged-value" not in str(shop.the_only_request().headers)


def test_s54_the_client_address_is_the_one_that_the_gateway_saw(shop: Shop):
    forged = [("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "https"),
              ("X-Forwarded-Host", "evil.test")]  # fmt: skip
    shop.gateway.get("/api/products", forged)

    request = shop.the_only_request()
    assert request.header("X-Forwarded-For") == "127.0.0.1"
    assert request.header("X-Forwarded-Proto") == "http"
    assert request.header("X-Forwarded-Host") == "shop.test"
    assert request.header("Host") == "shop.test"


def test_what_the_contract_speaks_of_passes(shop: Shop):
    sent = {
        "Accept": "application/json",
        "Accept-Language": "yo",
        "Authorization": "Bearer abc.def.ghi",
        "Content-Type": "application/json",
        "Idempotency-Key": "key-1",
        "If-Match": '"1"',
        "If-None-Match": '"2"',
        "User-Agent": "phone/1",
        "X-Paystack-Signature": "ab12",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate": "a=b",
    }
    shop.gateway.request("POST", "/api/checkout", sent, b'{"note": "hi"}')

    request = shop.the_only_request()
    assert {name: request.header(name) for name in sent} == sent
    assert request.body == b'{"note": "hi"}'
    assert request.header("Content-Length") == "14"


@pytest.mark.parametrize("value", ["Basic YWRtaW46YWRtaW4=", "Negotiate x", "abc.def.ghi"])
def test_only_a_bearer_token_passes_as_authorization(shop: Shop, value: str):
    shop.gateway.get("/api/orders", {"Authorization": value})

    assert shop.the_only_request().header("Authorization") is None


def test_a_malformed_bearer_token_is_the_services_to_refuse(shop: Shop):
    shop.gateway.get("/api/orders", {"Authorization": "Bearer "})

    assert shop.the_only_request().header("Authorization") == "Bearer"


def test_two_authorization_headers_never_arrive_as_one_that_is_valid(shop: Shop):
    two = [("Authorization", "Bearer a"), ("Authorization", "Bearer b")]

    assert shop.gateway.get("/api/orders", two).status == 400
    assert shop.reached() == []


def test_a_chunked_body_arrives_with_its_length(shop: Shop):
    head = b"POST /api/cart/items HTTP/1.1\r\nHost: shop.test\r\nTransfer-Encoding: chunked\r\n\r\n"
    shop.gateway.send(head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")

    request = shop.the_only_request()
    assert request.body == b"abcde"
    assert request.header("Transfer-Encoding") is None


@pytest.mark.parametrize("path", ["/api/products", "/nowhere", "/healthz"])
def test_a_clients_request_id_is_kept_and_echoed(shop: Shop, path: str):
    answer = shop.gateway.get(path, {"X-Request-ID": "Order_7.retry-2"})

    assert answer.header("X-Request-ID") == "Order_7.retry-2"
    assert all(
        r.header("X-Request-ID") == "Order_7.retry-2" for r in shop.services["catalog"].received
    )


@pytest.mark.parametrize("bad", ["", "a b", 'x"y', "x" * 65, "a\tb", "é", "<script>", "a,b"])
def test_an_unfit_request_id_is_replaced(shop: Shop, bad: str):
    answer = shop.gateway.get("/api/products", {"X-Request-ID": bad})

    made = answer.header("X-Request-ID")
    assert made
    assert made != bad
    assert len(made) == 32
    assert shop.the_only_request().header("X-Request-ID") == made


def test_every_request_gets_its_own_id(shop: Shop):
    made = {shop.gateway.get("/api/products").header("X-Request-ID") for _ in range(5)}

    assert len(made) == 5


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/products"), ("GET", "/healthz"), ("GET", "/nowhere"), ("TRACE", "/api/products"),
     ("GET", "/api/products/%2e"), ("GET", "/docs/none"), ("POST", "/healthz")],
)  # fmt: skip
def test_s58_every_answer_carries_the_security_headers_once(shop: Shop, method: str, path: str):
    answer = shop.gateway.request(method, path)

    assert answer.header("X-Content-Type-Options") == "nosniff"
    policy = "default-src 'none'; frame-ancestors 'none'"
    assert answer.header("Content-Security-Policy") == policy
    assert answer.header("Referrer-Policy") == "no-referrer"
    assert answer.header("Cross-Origin-Resource-Policy") == "same-origin"
    assert answer.header("Server") == "nginx"


def test_s25_a_service_can_neither_double_the_gateways_headers_nor_open_cors_nor_show_a_token(
    shop: Shop,
):
    shop.services["catalog"].behaviour = lambda request: Reply(
        headers=JSON
        | {
            "X-Request-ID": "own",
            "X-Content-Type-Options": "own",
            "Content-Security-Policy": "own",
            "Referrer-Policy": "own",
            "Cross-Origin-Resource-Policy": "own",
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Credentials": "true",
            "X-Powered-By": "Python",
            "X-Oja-Token": "secret",
        }
    )
    answer = shop.gateway.get("/api/products", {"Origin": "https://evil.test"})

    assert "own" not in [value for _, value in answer.headers]
    assert answer.header("X-Content-Type-Options") == "nosniff"
    for name in ("Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"):
        assert answer.header(name) is None
    assert answer.header("X-Powered-By") is None
    assert answer.header("X-Oja-Token") is None


@pytest.mark.parametrize("origin", ["https://evil.test", "null", "http://shop.test.evil.test"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS", "POST"])
@pytest.mark.parametrize("path", ["/api/products", "/api/admin/orders", "/nowhere", "/healthz"])
def test_s25_no_page_of_another_origin_is_let_in(shop: Shop, origin: str, method: str, path: str):
    asked = {"Origin": origin, "Access-Control-Request-Method": "DELETE"}
    answer = shop.gateway.request(method, path, asked)

    assert not [name for name, _ in answer.headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/api/orders", "no-store"), ("/api/products", "no-cache"), ("/nowhere", "no-store"),
     ("/api/admin/products", "no-store"), ("/openapi/catalog.json", "no-cache")],
)  # fmt: skip
def test_s58_caches_keep_nothing_personal(shop: Shop, path: str, expected: str):
    assert shop.gateway.get(path).header("Cache-Control") == expected


def test_a_services_own_word_on_caching_stands(shop: Shop):
    reply = Reply(headers=JSON | {"Cache-Control": "public, max-age=60"})
    shop.services["catalog"].behaviour = lambda request: reply

    assert shop.gateway.get("/api/products").header("Cache-Control") == "public, max-age=60"


def test_answers_of_a_service_arrive_with_their_status_headers_and_body(shop: Shop):
    problem = json.dumps({"code": "cart_empty", "status": 409}).encode()
    headers = {"Content-Type": "application/problem+json", "Retry-After": "7", "ETag": '"1"'}
    for status in (400, 401, 403, 404, 409, 412, 413, 422, 428, 429, 500, 502, 503, 504):
        shop.services["ordering"].behaviour = lambda _, s=status: Reply(s, headers, problem)
        answer = shop.gateway.request("POST", "/api/checkout", body=b"{}")

        assert (answer.status, answer.body) == (status, problem)
        assert answer.header("Content-Type") == "application/problem+json"
        assert answer.header("Retry-After") == "7"
        assert answer.header("ETag") == '"1"'


def test_the_public_catalogue_is_compressed_and_nothing_with_secrets_or_strong_etags(shop: Shop):
    for service in shop.all_services():
        service.behaviour = lambda request: Reply(headers=JSON | {"ETag": '"1"'}, body=b" " * 3000)
    gzip = {"Accept-Encoding": "gzip"}

    public = shop.gateway.get("/api/products", gzip)
    assert public.header("Content-Encoding") == "gzip"
    assert public.header("Vary") == "Accept-Encoding"
    assert len(public.body) < 100
    for path in ("/api/admin/products/1", "/api/orders/1", "/api/auth/me"):
        answer = shop.gateway.get(path, gzip)
        assert answer.header("Content-Encoding") is None
        assert answer.header("ETag") == '"1"'
