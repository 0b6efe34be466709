"""Signing in and staying so, through the HTTP API."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from identity.bootstrap import Dependencies
from identity.domain.secrets import digest
from identity.use_cases.housekeeping import purge_expired
from oja_web.testing import bearer, problem
from tests.integration.identity.conftest import (
    KEYS,
    PASSWORD,
    SHOP,
    Database,
    Person,
    a_customer,
    an_email,
    close,
)
from tests.integration.identity.test_accounts import in_threads
from tests.support.waiting import wait_until

NEW = "another horse of course"


def refresh(client: FlaskClient, token: Any) -> TestResponse:
    return client.post("/api/auth/refresh", json={"refresh_token": token})


def claims(token: str) -> dict[str, Any]:
    key = jwt.PyJWKSet.from_json(KEYS.jwks).keys[0]
    return jwt.decode(token, key, algorithms=["EdDSA"], audience="oja", issuer=SHOP)


def test_signing_in(ada: Person):
    answer = ada.log_in()

    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json.keys() == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 600)


def test_s15_the_access_token_is_short_lived_and_says_who_and_what(support: Person):
    said = claims(support.tokens()["access_token"])

    assert said["exp"] - said["iat"] == 600
    assert (said["sub"], said["email"], said["name"]) == (support.id, support.email, "Shop Keeper")
    assert said["roles"] == ["support"]
    assert "orders:read" in said["permissions"]
    assert "orders:write" not in said["permissions"]


def test_s05_the_address_may_be_typed_in_any_spelling(ada: Person):
    ada.email = f" {ada.email.upper()} "
    assert ada.log_in().status_code == 200


def test_s06_unknown_wrong_and_disabled_get_one_answer(
    ada: Person, zoe: Person, client: FlaskClient, database: Database
):
    database.change("UPDATE users SET is_active = false WHERE id = :id", id=zoe.id)
    tries = [
        {"email": ada.email, "password": "wrong"},
        {"email": "nobody@example.com", "password": PASSWORD},
        {"email": "not an address", "password": PASSWORD},
        {"email": zoe.email, "password": PASSWORD},
        {"email": zoe.email, "password": "wrong"},
    ]

    answers = [client.post("/api/auth/login", json=body) for body in tries]

    said = []
    for answer in answers:
        body = problem(answer, 401, "invalid_credentials")
        headers = {key: value for key, value in answer.headers if key != "X-Request-ID"}
        said.append((body | {"request_id": None}, headers))
    assert all(each == said[0] for each in said)


@pytest.fixture
def verifications(deps: Dependencies, monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Every hash that a password was compared with."""
    seen: list[str | None] = []
    real = type(deps.hasher).verify

    def spy(self: Any, password: str, expected: str | None) -> bool:
        seen.append(expected)
        return real(self, password, expected)

    monkeypatch.setattr(type(deps.hasher), "verify", spy)
    return seen


@pytest.mark.parametrize("path", ["/api/auth/login", "/api/admin/session"])
@pytest.mark.parametrize("case", ["unknown", "wrong", "disabled", "no address"])
def test_s06_every_failure_costs_one_verification(
    ada: Person,
    database: Database,
    verifications: list[str | None],
    client: FlaskClient,
    path: str,
    case: str,
):
    if case == "disabled":
        database.change("UPDATE users SET is_active = false WHERE id = :id", id=ada.id)
    email = {"unknown": "nobody@example.com", "no address": "?"}.get(case, ada.email)
    password = "wrong" if case == "wrong" else PASSWORD

    problem(client.post(path, json={"email": email, "password": password}), 401)

    assert len(verifications) == 1


def test_s06_the_statements_are_the_same_whether_there_is_an_account_or_not(
    ada: Person, deps: Dependencies
):
    """They are most of the time that is left when both cost one verification."""
    statements: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement.split("WHERE")[0])

    event.listen(deps.engine, "before_cursor_execute", note)
    seen = []
    for email in (ada.email, an_email()):
        del statements[:]
        ada.client.post("/api/auth/login", json={"email": email, "password": "wrong"})
        seen.append(list(statements))
    event.remove(deps.engine, "before_cursor_execute", note)

    assert seen[0] == seen[1]


def test_s02_an_old_hash_is_replaced_by_the_next_good_login(ada: Person, database: Database):
    from identity.adapters.hashing import Argon2Hasher

    weaker = Argon2Hasher(memory_kib=16, time_cost=1, parallelism=1, concurrency=1)
    database.change(
        "UPDATE users SET password_hash = :hash WHERE id = :id",
        hash=weaker.hash(PASSWORD),
        id=ada.id,
    )

    def stored() -> str:
        [row] = database.rows("SELECT password_hash FROM users WHERE id = :id", id=ada.id)
        return row.password_hash

    assert ada.log_in("wrong").status_code == 401
    assert "m=16," in stored()
    assert ada.log_in().status_code == 200
    assert "m=8," in stored()
    assert ada.log_in().status_code == 200


def test_s15_the_database_holds_no_refresh_token(ada: Person, database: Database):
    token = ada.tokens()["refresh_token"]

    [row] = database.rows("SELECT * FROM refresh_tokens WHERE digest = :d", d=digest(token))

    assert len(token) >= 43
    assert row.expires_at > row.issued_at
    [family] = database.rows("SELECT * FROM refresh_families WHERE id = :id", id=row.family_id)
    assert str(family.user_id) == ada.id
    assert family.expires_at > row.expires_at


def test_s16_a_refresh_gives_two_new_tokens(ada: Person):
    before = ada.tokens()

    after = refresh(ada.client, before["refresh_token"]).json

    assert after["refresh_token"] != before["refresh_token"]
    assert ada.client.get("/api/auth/me", headers=bearer(after["access_token"])).status_code == 200
    assert claims(after["access_token"])["jti"] != claims(before["access_token"])["jti"]


def test_s16_reuse_ends_the_family_and_nothing_else(ada: Person, database: Database):
    first, other = ada.tokens()["refresh_token"], ada.tokens()["refresh_token"]
    second = refresh(ada.client, first).json["refresh_token"]

    problem(refresh(ada.client, first), 401, "invalid_refresh_token")

    problem(refresh(ada.client, second), 401, "invalid_refresh_token")
    assert refresh(ada.client, other).status_code == 200
    assert database.audit(ada.id).count("refresh_token_reused") == 1


def test_s16_of_twenty_who_show_one_token_exactly_one_gets_in(
    ada: Person, app: Flask, database: Database
):
    token = ada.tokens()["refresh_token"]
    answers: list[TestResponse] = []

    in_threads(lambda client: answers.append(refresh(client, token)), clients(app, 20))

    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 19
    assert database.audit(ada.id).count("refresh_token_reused") == 1
    [winner] = [answer.json["refresh_token"] for answer in answers if answer.status_code == 200]
    problem(refresh(ada.client, winner), 401, "invalid_refresh_token")


def clients(app: Flask, count: int) -> list[FlaskClient]:
    return [app.test_client() for _ in range(count)]


@pytest.mark.parametrize(
    "past",
    [
        "UPDATE refresh_tokens SET expires_at = now() - interval '1 s' WHERE digest = :d",
        "UPDATE refresh_families SET expires_at = now() - interval '1 s' WHERE id ="
        " (SELECT family_id FROM refresh_tokens WHERE digest = :d)",
        "UPDATE refresh_families SET revoked_at = now() WHERE id ="
        " (SELECT family_id FROM refresh_tokens WHERE digest = :d)",
    ],
)
def test_s15_a_token_has_an_end(ada: Person, database: Database, past: str):
    token = ada.tokens()["refresh_token"]
    assert database.change(past, d=digest(token)) == 1
    problem(refresh(ada.client, token), 401, "invalid_refresh_token")


def test_s15_a_refresh_token_for_another_audience_is_refused(ada: Person, database: Database):
    token = ada.tokens()["refresh_token"]
    changed = "UPDATE refresh_families SET audience = 'others' WHERE user_id = :id"
    assert database.change(changed, id=ada.id)

    problem(refresh(ada.client, token), 401, "invalid_refresh_token")


def test_s15_no_token_outlives_its_family(ada: Person, database: Database):
    token = ada.tokens()["refresh_token"]
    database.change(
        "UPDATE refresh_families SET expires_at = now() + interval '1 minute' WHERE user_id = :id",
        id=ada.id,
    )

    successor = refresh(ada.client, token).json["refresh_token"]

    [row] = database.rows(
        "SELECT t.expires_at <= f.expires_at AS inside FROM refresh_tokens AS t"
        " JOIN refresh_families AS f ON f.id = t.family_id WHERE digest = :d",
        d=digest(successor),
    )
    assert row.inside


def test_who_was_disabled_does_not_get_another_token(ada: Person, database: Database):
    token = ada.tokens()["refresh_token"]
    database.change("UPDATE users SET is_active = false WHERE id = :id", id=ada.id)
    problem(refresh(ada.client, token), 401, "invalid_refresh_token")


def test_after_logging_out_a_kept_token_is_worth_nothing(ada: Person):
    first = ada.tokens()["refresh_token"]
    second = refresh(ada.client, first).json["refresh_token"]

    for _ in range(2):
        answer = ada.client.post("/api/auth/logout", json={"refresh_token": second})
        assert answer.status_code == 204

    problem(refresh(ada.client, second), 401)


@pytest.mark.parametrize("token", ["", None, [], 7, "x" * 600])
def test_s18_an_empty_token_is_none(client: FlaskClient, token: Any):
    for path in ("/api/auth/refresh", "/api/auth/logout"):
        problem(client.post(path, json={"refresh_token": token}), 422)
    problem(client.post("/api/auth/refresh", json={}), 422)


def test_s18_a_made_up_token_is_refused(client: FlaskClient):
    for token in ("x", "é", "' OR 1=1 --", "\u202e"):
        problem(refresh(client, token), 401, "invalid_refresh_token")


def test_s18_a_token_in_the_address_is_ignored(ada: Person):
    token = ada.tokens()["access_token"]
    problem(ada.client.get(f"/api/auth/me?access_token={token}"), 401)


def test_s14_the_public_keys_verify_what_was_signed(ada: Person, client: FlaskClient):
    answer = client.get("/api/auth/jwks.json")

    [key] = jwt.PyJWKSet.from_dict(answer.json).keys
    token = ada.tokens()["access_token"]
    assert jwt.decode(token, key, algorithms=["EdDSA"], audience="oja")["sub"] == ada.id
    assert "d" not in answer.json["keys"][0]


def test_failures_are_noted_with_where_they_came_from(ada: Person, database: Database):
    ada.log_in("wrong")

    rows = database.rows("SELECT * FROM audit_log WHERE target_id = :id ORDER BY id", id=ada.id)

    assert [row.action for row in rows] == ["signed_in", "sign_in_failed"]
    assert (rows[-1].actor_id, rows[-1].address) == (None, "127.0.0.1")
    assert rows[-1].request_id
    assert PASSWORD not in str(rows)


def test_a_failure_leaves_no_trace_of_who_closed_the_account_meanwhile(
    ada: Person, deps: Dependencies, database: Database, monkeypatch: pytest.MonkeyPatch
):
    verify = type(deps.hasher).verify

    def slow(hasher: Any, password: str, expected: str | None) -> bool:
        monkeypatch.setattr(type(deps.hasher), "verify", verify)
        close(ada, deps, deps.unit_of_work())
        return verify(hasher, password, expected)

    monkeypatch.setattr(type(deps.hasher), "verify", slow)
    problem(ada.log_in("wrong"), 401, "invalid_credentials")

    known = database.rows("SELECT address FROM audit_log WHERE target_id = :id", id=ada.id)
    assert {row.address for row in known} == {None}


def test_expired_families_are_thrown_away_and_others_kept(
    ada: Person, zoe: Person, deps: Dependencies, database: Database
):
    kept = zoe.tokens()["refresh_token"]
    database.change(
        "UPDATE refresh_families SET expires_at = now() - interval '1 s' WHERE user_id = :id",
        id=ada.id,
    )

    while purge_expired(deps.unit_of_work(), session_idle=deps.settings.session_idle):
        pass

    count = "SELECT count(*) AS n FROM refresh_families WHERE user_id = :id"
    assert database.rows(count, id=ada.id)[0].n == 0
    assert refresh(zoe.client, kept).status_code == 200


def test_s17_signing_out_ends_the_access_token_too_and_no_other_sign_in(ada: Person):
    here, there = ada.log_in().json, ada.log_in().json
    ada.client.post("/api/auth/logout", json={"refresh_token": here["refresh_token"]})

    wait_until(lambda: status_of(ada, here) == 401)
    assert status_of(ada, there) == 200


def test_s17_another_password_ends_all_access_tokens(ada: Person):
    here, there = ada.log_in().json, ada.log_in().json
    body = {"current_password": PASSWORD, "password": NEW, "password_confirm": NEW}
    ada.headers = bearer(here["access_token"])
    assert ada.call("POST", "/api/auth/password/change", body).status_code == 204

    wait_until(lambda: status_of(ada, here) == 401)
    assert status_of(ada, there) == 401
    assert status_of(ada, ada.log_in(NEW).json) == 200


def test_s17_other_roles_end_all_access_tokens(ada: Person, admin: Person, database: Database):
    before = ada.log_in().json
    path = f"/api/admin/users/{ada.id}"
    etag = admin.call("GET", path).headers["ETag"]

    assert admin.call("PATCH", path, {"is_active": False}, If_Match=etag).status_code == 200

    wait_until(lambda: status_of(ada, before) == 401)
    told = database.rows(
        "SELECT convert_from(envelope, 'UTF8')::jsonb -> 'data' AS data FROM event_log"
        " WHERE type = 'oja.identity.access_revoked.v1' AND subject = :id",
        id=ada.id,
    )
    assert [row.data["generation"] for row in told] == [2]


def test_s17_a_refresh_while_all_access_ends_leaves_nothing_good(app: Flask, database: Database):
    for _ in range(5):
        zoe = a_customer(app)
        token = zoe.tokens()["refresh_token"]
        body = {"current_password": PASSWORD, "password": NEW, "password_confirm": NEW}
        with ThreadPoolExecutor(2) as pool:
            changed = pool.submit(zoe.call, "POST", "/api/auth/password/change", body)
            refreshed = pool.submit(
                app.test_client().post, "/api/auth/refresh", json={"refresh_token": token}
            )
        assert changed.result().status_code == 204

        if refreshed.result().status_code == 200:
            wait_until(lambda: status_of(zoe, refreshed.result().json) == 401)  # noqa: B023


def status_of(person: Person, tokens: dict[str, str]) -> int:
    headers = bearer(tokens["access_token"])
    return person.client.get("/api/auth/me", headers=headers).status_code
