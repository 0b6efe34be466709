"""The cookie of the admin console becomes a short-lived token; services never see the cookie."""

import pytest

from tests.integration.gateway.conftest import Shop
from tests.integration.gateway.services import JSON, Received, Reply

COOKIE = {"Cookie": "theme=dark; oja_session=s3cret; other=1"}


def says(status: int, **headers: str):
    def behaviour(request: Received) -> Reply:
        if request.target != "/internal/session":
            return Reply()
        return Reply(status, JSON | {name.replace("_", "-"): v for name, v in headers.items()})

    return behaviour


@pytest.fixture
def signed_in(shop: Shop) -> Shop:
    shop.services["identity"].behaviour = says(204, X_Oja_Token="internal.jwt.x")
    return shop


def test_a_session_becomes_a_bearer_token_for_the_service(signed_in: Shop):
    answer = signed_in.gateway.get("/api/admin/orders", COOKIE)

    assert answer.json() == {"service": "ordering"}
    [request] = signed_in.services["ordering"].received
    assert request.header("Authorization") == "Bearer internal.jwt.x"
    assert request.header("Cookie") is None
    assert answer.header("X-Oja-Token") is None


def test_identity_is_told_all_that_it_needs_to_judge_the_request(signed_in: Shop):
    console = {"X-CSRF-Token": "c1", "Origin": "http://shop.test", "Sec-Fetch-Site": "same-origin",
               "X-Request-ID": "r-1", "Content-Type": "application/json"}  # fmt: skip
    path = "/api/admin/products/1?draft=true"
    signed_in.gateway.request("PATCH", path, COOKIE | console, b'{"name": "x"}')

    [check] = signed_in.services["identity"].received
    assert (check.method, check.target, check.body) == ("GET", "/internal/session", b"")
    assert check.header("Cookie") == "oja_session=s3cret"
    assert check.header("X-Original-Method") == "PATCH"
    assert check.header("X-Original-URI") == path
    assert check.header("X-CSRF-Token") == "c1"
    assert check.header("Origin") == "http://shop.test"
    assert check.header("Sec-Fetch-Site") == "same-origin"
    assert check.header("X-Request-ID") == "r-1"
    assert check.header("X-Forwarded-For") == "127.0.0.1"
    [request] = signed_in.services["catalog"].received
    assert request.body == b'{"name": "x"}'


def test_an_upload_waits_for_the_session_and_then_arrives_whole(signed_in: Shop):
    image = bytes(range(256)) * 8000
    signed_in.gateway.request("POST", "/api/admin/products/1/images", COOKIE, image)

    [request] = signed_in.services["catalog"].received
    assert request.body == image


@pytest.mark.parametrize(("status", "code"), [(401, "session_expired"), (403, "csrf_failed")])
def test_a_refused_session_is_a_problem_and_the_service_hears_nothing(
    shop: Shop, status: int, code: str
):
    shop.services["identity"].behaviour = says(status)
    answer = shop.gateway.request("POST", "/api/admin/alerts/1/acknowledge", COOKIE)

    assert answer.status == status
    assert answer.header("Content-Type") == "application/problem+json"
    assert answer.json()["code"] == code
    assert shop.reached() == ["identity"]


def test_a_refused_session_with_a_large_upload_is_still_a_401(shop: Shop):
    shop.services["identity"].behaviour = says(401)
    path = "/api/admin/products/1/images"
    answer = shop.gateway.request("POST", path, COOKIE, b"x" * 5_000_000)

    assert (answer.status, answer.json()["code"]) == (401, "session_expired")


@pytest.mark.parametrize("status", [200, 201, 404, 429, 500, 503])
def test_a_service_decides_alone_about_the_answer_once_the_session_is_good(
    signed_in: Shop, status: int
):
    signed_in.services["ordering"].behaviour = lambda _: Reply(status, JSON, b'{"own": 1}')
    answer = signed_in.gateway.get("/api/admin/orders", COOKIE)

    assert (answer.status, answer.json()) == (status, {"own": 1})


@pytest.mark.parametrize("status", [404, 429, 500, 503])
def test_an_identity_that_cannot_tell_is_a_503(shop: Shop, status: int):
    shop.services["identity"].behaviour = says(status)
    answer = shop.gateway.get("/api/admin/orders", COOKIE)

    assert answer.status == 503
    assert answer.json()["code"] == "unavailable"
    assert answer.header("Retry-After") == "1"
    assert shop.reached() == ["identity"]


def test_a_good_session_without_a_token_gives_no_rights(shop: Shop):
    shop.services["identity"].behaviour = says(204)
    shop.gateway.get("/api/admin/orders", COOKIE)

    assert shop.services["ordering"].received[0].header("Authorization") is None


@pytest.mark.parametrize("cookies", [{}, {"Cookie": "theme=dark"}, {"Cookie": "oja_session="}])
def test_without_a_session_the_callers_own_token_goes_on(signed_in: Shop, cookies: dict[str, str]):
    signed_in.gateway.get("/api/admin/orders", cookies | {"Authorization": "Bearer own"})

    assert signed_in.the_only_request().header("Authorization") == "Bearer own"


@pytest.mark.parametrize("value", ["Bearer own", "Basic eA==", "junk"])
def test_a_session_is_not_looked_at_beside_an_authorization_header(signed_in: Shop, value: str):
    signed_in.gateway.get("/api/admin/orders", COOKIE | {"Authorization": value})

    own = value if value.startswith("Bearer") else None
    assert signed_in.the_only_request().header("Authorization") == own


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_signing_in_and_out_goes_to_identity_with_the_cookie(signed_in: Shop, method: str):
    headers = COOKIE | {"X-CSRF-Token": "c1", "Origin": "http://shop.test"}
    signed_in.gateway.request(method, "/api/admin/session", headers)

    request = signed_in.the_only_request()
    assert (request.method, request.target) == (method, "/api/admin/session")
    assert request.header("Cookie") == "oja_session=s3cret"
    assert request.header("X-CSRF-Token") == "c1"
    assert request.header("Origin") == "http://shop.test"


def test_the_new_sessions_cookie_reaches_the_browser(shop: Shop):
    cookie = "oja_session=new; HttpOnly; SameSite=Strict; Path=/"
    shop.services["identity"].behaviour = lambda _: Reply(headers=JSON | {"Set-Cookie": cookie})

    answer = shop.gateway.request("POST", "/api/admin/session", body=b"{}")
    assert answer.header("Set-Cookie") == cookie


@pytest.mark.parametrize("path", ["/api/auth/me", "/api/cart", "/api/pay", "/api/products"])
def test_the_cookie_means_nothing_outside_the_admin_routes(signed_in: Shop, path: str):
    signed_in.gateway.get(path, COOKIE)

    request = signed_in.the_only_request()
    assert request.header("Cookie") is None
    assert request.header("Authorization") is None


def test_identitys_own_admin_routes_take_the_token_too(signed_in: Shop):
    signed_in.gateway.get("/api/admin/users", COOKIE)

    check, request = signed_in.services["identity"].received
    assert check.target == "/internal/session"
    assert request.header("Authorization") == "Bearer internal.jwt.x"
    assert request.header("Cookie") is None
