import base64
import hashlib
import hmac
import json
import time
from dataclasses import replace

import jwt
import pytest
from sqlalchemy.exc import OperationalError

from oja_web.app import make_app
from oja_web.auth import AuthSettings
from oja_web.blueprint import Blueprint
from oja_web.public_keys import public_keys
from oja_web.testing import ISSUER, bearer, make_key_pair, make_token, problem
from oja_web.throttling import Throttling


def encoded(value) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def good_claims() -> dict[str, object]:
    now = int(time.time())
    return {
        "iss": ISSUER, "aud": "oja", "sub": "0192f0c1-2a3b-7c4d-8e5f-0123456789ab", "jti": "1",
        "iat": now, "exp": now + 600, "roles": [], "permissions": [], "email": "", "name": "",
    }  # fmt: skip


def unsigned(alg: str) -> str:
    header = {"alg": alg, "typ": "at+jwt", "kid": "test-key"}
    return f"{encoded(header)}.{encoded(good_claims())}."


def signed_with_the_public_key(jwks: str) -> str:
    """Algorithm confusion: an HMAC whose secret is what everybody knows."""
    secret = base64.urlsafe_b64decode(json.loads(jwks)["keys"][0]["x"] + "=")
    header = {"alg": "HS256", "typ": "at+jwt", "kid": "test-key"}
    text = f"{encoded(header)}.{encoded(good_claims())}"
    return f"{text}.{encoded(hmac.digest(secret, text.encode(), hashlib.sha256))}"


def with_another_payload(token: str) -> str:
    header, _, signature = token.split(".")
    return f"{header}.{encoded({**good_claims(), 'permissions': ['notes:write']})}.{signature}"


NOW = int(time.time())  # when tests are collected: they may run many minutes later
LATER = NOW + 24 * 3600
FORGED_CLAIMS = {
    "expired": {"exp": NOW - 11, "iat": NOW - 700},
    "expires in text": {"exp": "tomorrow"},
    "expires never": {"exp": ...},
    "from the future": {"iat": LATER},
    "without iat": {"iat": ...},
    "not valid yet": {"nbf": LATER},
    "other audience": {"aud": "shop"},
    "several audiences": {"aud": ["oja", "shop"]},
    "no audience": {"aud": ...},
    "other issuer": {"iss": "http://evil.test"},
    "issuer with a tail": {"iss": ISSUER + ".evil.test"},
    "part of the issuer": {"iss": ISSUER[:-1]},
    "no issuer": {"iss": ...},
    "no subject": {"sub": ...},
    "empty subject": {"sub": ""},
    "subject that is no id": {"sub": "admin"},
    "no token id": {"jti": ...},
    "empty token id": {"jti": ""},
    "roles in text": {"roles": "admin"},
    "permissions in text": {"permissions": "notes:write"},
    "permissions of objects": {"permissions": [{}]},
    "refresh token": {"type": "refresh"},
}
FORGED_HEADERS = {
    "typ JWT": {"typ": "JWT"},
    "no typ": {"typ": ...},
    "kid unknown": {"kid": "other"},
    "kid a path": {"kid": "../../dev/null"},
    "kid SQL": {"kid": "' OR 1=1 --"},
    "no kid": {"kid": ...},
    "jku": {"jku": "https://evil.test/jwks.json"},
    "x5u": {"x5u": "https://evil.test/cert.pem"},
    "jwk": {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}},
    "crit": {"crit": ["exp"]},
}


def refused(answer):
    problem(answer, 401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="oja"')


@pytest.mark.parametrize("claims", FORGED_CLAIMS.values(), ids=FORGED_CLAIMS.keys())
def test_s13_tokens_with_wrong_claims_are_refused(client, keys, claims):
    token = make_token(keys.private_pem, **claims)

    refused(client.get("/api/notes/me", headers=bearer(token)))


@pytest.mark.parametrize("headers", FORGED_HEADERS.values(), ids=FORGED_HEADERS.keys())
def test_s13_tokens_with_wrong_headers_are_refused(client, keys, headers):
    token = make_token(keys.private_pem, headers=headers)

    refused(client.get("/api/notes/me", headers=bearer(token)))


def test_s13_forged_tokens_are_refused(client, keys):
    good = make_token(keys.private_pem)
    deep = f"{encoded({'alg': 'EdDSA'})}.{encoded(b'[' * 4000)}.AAAA"
    forged = [
        unsigned("none"),
        unsigned("None"),
        unsigned("none") + "AAAA",
        unsigned("EdDSA") + "AAAA",
        signed_with_the_public_key(keys.jwks),
        make_token(make_key_pair().private_pem),
        with_another_payload(good),
        good.rsplit(".", 1)[0] + ".",
        good[:-8] + "AAAAAAAA",
        deep,
        f"{encoded(b'[' * 300)}.{encoded({})}.AAAA",
        f"{encoded([])}.{encoded([])}.AAAA",
        f"{encoded({'alg': 'EdDSA', 'typ': 'at+jwt', 'kid': []})}.{encoded({})}.AAAA",
        "A" * 9000,
    ]

    for token in forged:
        refused(client.get("/api/notes/me", headers=bearer(token)))


@pytest.mark.parametrize(
    "value",
    ["", " ", "Bearer", "Bearer ", "bearer {0}", "Bearer {0} ", "Bearer {0} {0}", "{0}",
     "Token {0}", "Basic YWRhOmFkYQ==", "Bearer {0}, Bearer {0}", "Basic eA==, Bearer {0}",
     "Bearer null", "Bearer {0},"],
)  # fmt: skip
def test_s18_only_one_bearer_token_is_a_credential(client, keys, value):
    header = value.format(make_token(keys.private_pem))

    refused(client.get("/api/notes/me", headers={"Authorization": header}))


def test_s18_two_authorization_headers_are_refused(client, keys):
    token = make_token(keys.private_pem)
    twice = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]

    refused(client.get("/api/notes/me", headers=twice))


def test_s18_tokens_elsewhere_than_in_the_header_are_ignored(client, keys):
    token = make_token(keys.private_pem)
    client.set_cookie("access_token_cookie", token)

    refused(client.get(f"/api/notes/me?access_token={token}&jwt={token}"))
    refused(client.post("/api/notes", json={"access_token": token}))


@pytest.mark.parametrize("name", ["X-User-Id", "X-Role", "X-Forwarded-User", "X_User_Id"])
def test_s19_headers_do_not_make_a_caller(client, signed, name):
    refused(client.get("/api/notes/me", headers={name: "admin"}))

    assert client.get("/api/notes/me", headers={**signed, name: "x"}).json["name"] == "Ada Obi"


def test_the_caller_is_who_the_token_says(client, keys):
    token = make_token(keys.private_pem, sub="0192f0c1-2a3b-7c4d-8e5f-0123456789ab", name="Bola")

    body = client.get("/api/notes/me", headers=bearer(token)).json

    assert body == {"user_id": "0192f0c1-2a3b-7c4d-8e5f-0123456789ab", "name": "Bola"}


def test_clocks_may_differ_a_little(client, keys):
    token = make_token(keys.private_pem, exp=int(time.time()) - 5, iat=int(time.time()) + 5)

    assert client.get("/api/notes/me", headers=bearer(token)).status_code == 200


def test_a_revoked_token_is_refused(client, keys, revoked):
    token = make_token(keys.private_pem, jti="stolen")
    assert client.get("/api/notes/me", headers=bearer(token)).status_code == 200

    revoked.add("stolen")

    refused(client.get("/api/notes/me", headers=bearer(token)))


def test_while_nobody_can_say_a_request_asks_once_whether_its_token_is_revoked(
    app, client, signed, monkeypatch
):
    asked = []

    def away(claims):
        asked.append(claims["jti"])
        raise OperationalError("SELECT", {}, Exception("timeout expired"))

    auth = app.extensions["oja_web.auth"]
    settings = replace(auth.settings, revoked=away)
    monkeypatch.setitem(app.extensions, "oja_web.auth", replace(auth, settings=settings))

    problem(client.get("/api/notes/me", headers=signed), 503, "unavailable")
    assert len(asked) == 1
    problem(client.get("/api/notes/me", headers=signed), 503, "unavailable")
    assert len(asked) == 2


def test_a_token_is_good_for_the_second_time_without_another_look_at_its_signature(
    client, keys, monkeypatch
):
    token = make_token(keys.private_pem)
    first = client.get("/api/notes/me", headers=bearer(token))

    monkeypatch.setattr(jwt, "decode", checked_again)
    second = client.get("/api/notes/me", headers=bearer(token))

    assert second.json == first.json
    assert second.status_code == 200


@pytest.mark.parametrize(("later", "status"), [(609, 200), (611, 401)])
def test_a_token_that_was_good_is_checked_again_when_its_time_is_over(
    app, client, keys, monkeypatch, later, status
):
    now = int(time.time())
    token = make_token(keys.private_pem, iat=now, exp=now + 600)
    client.get("/api/notes/me", headers=bearer(token))

    monkeypatch.setattr(app.extensions["oja_web.auth"].known, "_clock", lambda: now + later)
    monkeypatch.setattr(jwt, "decode", checked_again)

    assert client.get("/api/notes/me", headers=bearer(token)).status_code == status


def checked_again(*_, **__):
    raise jwt.ExpiredSignatureError


def test_strangers_learn_nothing_about_schemas(client, signed):
    path = "/api/notes/0192f0c1-2a3b-7c4d-8e5f-0123456789ab"

    refused(client.patch(path, data=b"[" * 2000, content_type="text/plain"))
    problem(client.patch(path, json={"nonsense": 1}, headers=signed), 403, "forbidden")


def test_a_permission_opens_what_it_names(client, writer):
    path = "/api/notes/0192f0c1-2a3b-7c4d-8e5f-0123456789ab"

    answer = client.patch(path, json={"title": "x"}, headers={**writer, "If-Match": '"v7"'})

    assert answer.json == {"title": "x"}


def test_views_say_who_may_call_them(app):
    access = {
        f"{min(rule.methods - {'HEAD'})} {rule.rule}": app.view_functions[rule.endpoint].access
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
    }

    assert access == {
        "POST /api/notes": "customer",
        "GET /api/notes": "anonymous",
        "PATCH /api/notes/<uuid:note_id>": "notes:write",
        "DELETE /api/notes/<uuid:note_id>": "notes:write",
        "GET /api/notes/seven": "anonymous",
        "GET /api/notes/me": "customer",
        "GET /api/notes/failures/<kind>": "anonymous",
    }


def test_a_view_that_does_not_say_so_stops_the_service_from_starting(keys):
    careless = Blueprint("careless", __name__)
    careless.get("/secrets")(lambda: "everything")

    with pytest.raises(RuntimeError, match="who may call it"):
        make_app(
            "careless",
            title="Careless",
            auth=AuthSettings(keys.jwks, ISSUER),
            blueprints=[careless],
            errors={},
            dependencies=None,
            ready=lambda: None,
            throttling=Throttling({"anonymous": "1 per hour", "signed_in": "1 per hour"}),
        )


GOOD = {
    "kty": "OKP",
    "crv": "Ed25519",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    "kid": "1",
}


@pytest.mark.parametrize(
    "jwks",
    [
        "", "{}", "[]", '{"keys": []}', '{"keys": {}}', '{"keys": [1]}', "null",
        json.dumps({"keys": [GOOD, GOOD]}),
        json.dumps({"keys": [{**GOOD, "crv": "Ed448"}]}),
        json.dumps({"keys": [{name: GOOD[name] for name in ("kty", "crv", "x")}]}),
        json.dumps({"keys": [{**GOOD, "x": "AAAA"}]}),
        json.dumps({"keys": [{**GOOD, "d": "A" * 43}]}),
        json.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "1"}]}),
    ],
)  # fmt: skip
def test_a_key_set_that_is_not_one_is_refused_at_start(jwks):
    with pytest.raises(ValueError, match="JWKS"):
        public_keys(jwks)


def test_s14_old_and_new_keys_are_good_together():
    old, new = make_key_pair("2025"), make_key_pair("2026")
    both = json.dumps({"keys": json.loads(old.jwks)["keys"] + json.loads(new.jwks)["keys"]})

    assert public_keys(both).keys() == {"2025", "2026"}
