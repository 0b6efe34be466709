"""S22: a request that changes something shows the session's own token, and comes from our page."""

import pytest
from werkzeug.datastructures import Headers

from identity.domain.secrets import csrf_token, new_secret
from identity.entrypoints.http.forgery import refuse_foreign_origin, refuse_forgery
from oja_web.problems import Problem

SHOP = "http://shop.test:8080"
SECRET = new_secret()
GOOD = {"X-CSRF-Token": csrf_token(SECRET)}


def is_refused(method: str = "POST", public_url: str = SHOP, **headers: str) -> bool:
    named = Headers({name.replace("_", "-"): value for name, value in headers.items()})
    try:
        refuse_forgery(SECRET, method, named, public_url)
    except Problem as problem:
        return (problem.status, problem.code) == (403, "csrf_failed")
    return False


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_needs_no_token(method: str):
    assert not is_refused(method, Sec_Fetch_Site="cross-site")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "get", "PROPFIND", ""])
def test_s22_everything_else_needs_the_token(method: str):
    assert is_refused(method)
    assert not is_refused(method, **GOOD)


@pytest.mark.parametrize(
    "token", ["", "x", csrf_token(new_secret()), csrf_token(SECRET).upper(), SECRET, "é", " " * 64]
)
def test_s22_an_empty_foreign_or_altered_token_is_refused(token: str):
    assert is_refused(X_CSRF_Token=token)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "Same-Origin"])
def test_s22_a_page_of_another_site_is_refused_even_with_the_token(site: str):
    assert is_refused(Sec_Fetch_Site=site, **GOOD)


@pytest.mark.parametrize(
    "origin",
    ["https://evil.test", "null", "", "http://shop.test", "http://shop.test:3000",
     "https://shop.test:8080", "http://shop.test.evil.test:8080", "http://evil.test:8080",
     "http://shop.test:99999", "http://[::1", "shop.test:8080"],
)  # fmt: skip
def test_s22_another_origin_is_refused_even_with_the_token(origin: str):
    assert is_refused(Origin=origin, **GOOD)


def test_s22_our_own_pages_are_welcome():
    assert not is_refused(Origin=SHOP, Sec_Fetch_Site="same-origin", **GOOD)
    assert not is_refused(public_url="https://shop.test", Origin="https://shop.test", **GOOD)


def test_the_gateway_may_have_several_names():
    assert not is_refused(Origin="http://127.0.0.1:8080", Host="127.0.0.1", **GOOD)
    assert is_refused(Origin="http://127.0.0.1:8080", Host="localhost", **GOOD)


def test_programs_that_say_nothing_of_pages_may_sign_in():
    refuse_foreign_origin(Headers(), SHOP)


def test_a_token_does_not_give_its_session_away():
    assert csrf_token(SECRET) != csrf_token(new_secret())
    assert SECRET not in csrf_token(SECRET)
