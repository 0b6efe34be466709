"""A small service with a limit of every kind, for the tests of throttling."""

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from oja_web.app import make_app
from oja_web.auth import AuthSettings, public, signed_in
from oja_web.blueprint import Blueprint
from oja_web.strict_json import json_response
from oja_web.testing import ISSUER, KeyPair, bearer, make_key_pair, make_token
from oja_web.throttling import Throttling, limited, unlimited

RATES = {
    "anonymous": "3 per hour",
    "signed_in": "5 per hour",
    "login": "2 per hour",
    "pay": "2 per minute; 3 per hour",
}
KEYS: KeyPair = make_key_pair()
ADA, ZOE = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"

blp = Blueprint("throttled", __name__, url_prefix="/api", description="What is counted")


@blp.get("/products")
@public
@blp.response(200)
def goods():
    """What anybody may look at"""
    return json_response({})


@blp.get("/tags")
@public
@blp.response(200)
def gifts():
    """Counted together with the goods"""
    return json_response({})


@blp.get("/cart")
@signed_in
@blp.response(200)
def cart():
    """What belongs to somebody"""
    return json_response({})


@blp.post("/auth/login")
@public
@limited("login", by_address=True, closed=True)
@blp.response(204)
def login():
    """What may never be tried without being counted"""


@blp.post("/pay")
@signed_in
@limited("pay", closed=True)
@blp.response(204)
def pay():
    """Two rates"""


@blp.post("/webhook")
@public
@unlimited
@blp.response(204)
def webhook():
    """Not counted"""


def throttled_app(redis_url: str | None = None, rates: dict[str, str] = RATES) -> Flask:
    return make_app(
        "shop",
        title="Shop",
        auth=AuthSettings(KEYS.jwks, ISSUER),
        blueprints=[blp],
        errors={},
        dependencies=object(),
        ready=lambda: None,
        throttling=Throttling(rates, redis_url),
    )


class Caller:
    """Somebody at an address, perhaps signed in."""

    def __init__(self, app: Flask, address: str = "192.0.2.1", user: str | None = None) -> None:
        self._client: FlaskClient = app.test_client()
        self._token = bearer(make_token(KEYS.private_pem, sub=user)) if user else {}
        # What the gateway sends of a caller at this address.
        self._address = {"X-Forwarded-For": address}

    def get(self, path: str, **headers: str) -> TestResponse:
        return self._client.get(path, headers=self._address | self._token | headers)

    def post(self, path: str, **headers: str) -> TestResponse:
        return self._client.post(path, headers=self._address | self._token | headers)

    def passes(self, method: str, path: str, times: int = 20) -> int:
        """How often in a row this caller is let through, `times` at most."""
        for passed in range(times):
            answer = self.get(path) if method == "GET" else self.post(path)
            if answer.status_code == 429:
                return passed
            assert answer.status_code < 400, answer.text
        return times
