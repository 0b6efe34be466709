"""The admin console's session, and the token that the gateway gets for it."""

from concurrent.futures import ThreadPoolExecutor
from http.cookies import Morsel, SimpleCookie
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from identity.adapters.repositories import SqlUserRepository
from identity.bootstrap import Dependencies
from identity.domain.secrets import csrf_token, digest
from identity.use_cases.commands.authentication import end_all_access
from identity.use_cases.housekeeping import purge_expired
from oja_web.testing import bearer, problem
from tests.integration.identity.conftest import PASSWORD, SHOP, Database, Person
from tests.integration.identity.test_tokens import claims
from tests.support.waiting import wait_until

PATH = "/api/admin/session"


def cookie_of(answer: TestResponse) -> Morsel[str]:
    return SimpleCookie(answer.headers["Set-Cookie"])["oja_session"]


def vouch(client: FlaskClient, method: str = "GET", **headers: str) -> TestResponse:
    """What the gateway asks about a request with this client's cookie."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    described = {"X-Original-Method": method, "X-Original-URI": "/api/admin/orders"}
    return client.get("/internal/session", headers=described | named)


def test_signing_in_to_the_console(admin: Person):
    answer = admin.open_session()

    assert answer.status_code == 200
    assert answer.json.keys() == {"user", "permissions", "csrf_token"}
    assert answer.json["user"]["email"] == admin.email
    assert "users:write" in answer.json["permissions"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert admin.client.get(PATH).json == answer.json


def test_s21_the_cookie_is_for_the_server_alone(admin: Person):
    cookie = cookie_of(admin.open_session())

    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
    assert cookie["domain"] == ""
    assert cookie["secure"] == ""


def test_s21_behind_tls_the_cookie_never_travels_in_the_clear(admin: Person, secure_app: Flask):
    admin.client = secure_app.test_client()
    assert cookie_of(admin.open_session())["secure"] is True


def test_s20_the_database_holds_no_secret(admin: Person, database: Database):
    secret = cookie_of(admin.open_session()).value

    [row] = database.rows("SELECT * FROM admin_sessions WHERE user_id = :id", id=admin.id)

    assert len(secret) >= 43
    assert bytes(row.digest) == digest(secret)


def test_s20_a_planted_cookie_is_not_taken_over(admin: Person):
    admin.client.set_cookie("oja_session", "planted")

    cookie = cookie_of(admin.open_session())

    assert cookie.value != "planted"


def test_s20_signing_in_again_ends_the_session_before(admin: Person, app: Flask):
    first = admin.open_session()
    second = admin.open_session()

    assert cookie_of(first).value != cookie_of(second).value
    assert first.json["csrf_token"] != second.json["csrf_token"]
    problem(replay(app, first).get(PATH), 401, "session_expired")


def replay(app: Flask, answer: TestResponse) -> FlaskClient:
    """Somebody else with a copy of the cookie."""
    client = app.test_client()
    client.set_cookie("oja_session", cookie_of(answer).value)
    return client


def test_s20_a_cookie_replayed_after_logout_opens_nothing(
    admin: Person, app: Flask, database: Database
):
    session = admin.open_session()
    thief = replay(app, session)
    assert thief.get(PATH).status_code == 200

    answer = admin.client.delete(PATH, headers={"X-CSRF-Token": session.json["csrf_token"]})

    assert answer.status_code == 204
    assert cookie_of(answer).value == ""
    problem(thief.get(PATH), 401, "session_expired")
    assert vouch(thief).status_code == 401
    assert database.audit(admin.id)[-2:] == ["admin_signed_in", "admin_signed_out"]


def test_who_may_do_nothing_there_does_not_get_in(ada: Person, database: Database):
    answer = ada.open_session()

    problem(answer, 403, "forbidden")
    assert "Set-Cookie" not in answer.headers
    assert database.audit(ada.id)[-1] == "admin_sign_in_refused"


def test_a_wrong_password_opens_no_session(admin: Person):
    admin.password = "wrong"
    problem(admin.open_session(), 401, "invalid_credentials")


@pytest.mark.parametrize(
    "past",
    [
        "UPDATE admin_sessions SET used_at = now() - interval '31 minutes' WHERE user_id = :id",
        "UPDATE admin_sessions SET expires_at = now() - interval '1 s' WHERE user_id = :id",
        "UPDATE users SET is_active = false WHERE id = :id",
        "DELETE FROM user_roles WHERE user_id = :id",
    ],
)
def test_s21_a_session_ends(admin: Person, database: Database, past: str):
    admin.open_session()
    assert vouch(admin.client).status_code == 204

    assert database.change(past, id=admin.id) == 1

    problem(admin.client.get(PATH), 401, "session_expired")
    problem(vouch(admin.client), 401, "session_expired")


def test_s21_a_session_lasts_twelve_hours_and_no_activity_makes_it_longer(
    admin: Person, database: Database
):
    admin.open_session()
    before = "SELECT expires_at, created_at, used_at FROM admin_sessions WHERE user_id = :id"
    [opened] = database.rows(before, id=admin.id)
    assert (opened.expires_at - opened.created_at).total_seconds() == 12 * 3600

    database.change(
        "UPDATE admin_sessions SET used_at = now() - interval '29 minutes' WHERE user_id = :id",
        id=admin.id,
    )
    assert vouch(admin.client).status_code == 204

    [used] = database.rows(before, id=admin.id)
    assert used.expires_at == opened.expires_at
    assert used.used_at >= opened.used_at


@pytest.mark.parametrize("cookie", ["", "x", "é", "' OR 1=1 --", "x" * 4000])
def test_s20_a_made_up_cookie_is_none(client: FlaskClient, cookie: str):
    client.set_cookie("oja_session", cookie)
    problem(client.get(PATH), 401, "session_expired")
    problem(vouch(client), 401, "session_expired")


def test_strangers_have_no_session(client: FlaskClient):
    problem(client.get(PATH), 401, "session_expired")
    problem(client.delete(PATH), 401, "session_expired")
    problem(vouch(client), 401, "session_expired")


def test_s24_an_access_token_is_no_session(admin: Person):
    problem(admin.call("GET", PATH), 401, "session_expired")


def test_s24_a_session_is_no_access_token(admin: Person):
    admin.open_session()
    problem(admin.client.get("/api/auth/me"), 401, "unauthenticated")
    problem(admin.client.get("/api/admin/users"), 401, "unauthenticated")


def test_the_gateway_gets_a_token_for_one_minute(admin: Person):
    admin.open_session()

    answer = vouch(admin.client)

    assert (answer.status_code, answer.data) == (204, b"")
    token = answer.headers["X-Oja-Token"]
    said = claims(token)
    assert said["exp"] - said["iat"] == 60
    assert said["sub"] == admin.id
    assert admin.client.get("/api/admin/users", headers=bearer(token)).status_code == 200


def test_a_taken_role_is_missing_in_the_very_next_token(support: Person, database: Database):
    support.open_session()
    database.change(
        "UPDATE user_roles SET role = 'catalog_manager' WHERE user_id = :id", id=support.id
    )

    said = claims(vouch(support.client).headers["X-Oja-Token"])

    assert said["roles"] == ["catalog_manager"]
    assert "orders:read" not in said["permissions"]


WITHOUT_TOKEN = {
    "no token": {},
    "empty token": {"X_CSRF_Token": ""},
    "another session's token": {"X_CSRF_Token": csrf_token("another")},
}
FOREIGN_PAGE = {
    "another site": {"Sec_Fetch_Site": "cross-site"},
    "another origin": {"Origin": "https://evil.test"},
    "an origin that hides": {"Origin": "null"},
}
CHANGING = ["POST", "PUT", "PATCH", "DELETE", "ANYTHING"]


@pytest.mark.parametrize("headers", WITHOUT_TOKEN.values(), ids=WITHOUT_TOKEN)
@pytest.mark.parametrize("method", CHANGING)
def test_s22_a_request_without_the_sessions_token_is_not_vouched_for(
    admin: Person, method: str, headers: dict[str, str]
):
    admin.open_session()

    answer = vouch(admin.client, method, **headers)

    problem(answer, 403, "csrf_failed")
    assert "X-Oja-Token" not in answer.headers


@pytest.mark.parametrize("headers", FOREIGN_PAGE.values(), ids=FOREIGN_PAGE)
@pytest.mark.parametrize("method", CHANGING)
def test_s22_a_request_from_a_foreign_page_is_not_vouched_for_even_with_the_token(
    admin: Person, method: str, headers: dict[str, str]
):
    token = admin.open_session().json["csrf_token"]

    answer = vouch(admin.client, method, X_CSRF_Token=token, **headers)

    problem(answer, 403, "csrf_failed")
    assert "X-Oja-Token" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_s22_the_consoles_own_request_gets_its_token(admin: Person, method: str):
    token = admin.open_session().json["csrf_token"]
    page = {"Origin": SHOP, "Sec_Fetch_Site": "same-origin"}
    assert vouch(admin.client, method, X_CSRF_Token=token, **page).status_code == 204
    assert vouch(admin.client, method, X_CSRF_Token=token).status_code == 204


def test_s22_a_request_of_unknown_method_counts_as_one_that_changes_something(admin: Person):
    admin.open_session()
    problem(admin.client.get("/internal/session"), 403, "csrf_failed")


@pytest.mark.parametrize("forged", (WITHOUT_TOKEN | FOREIGN_PAGE).values())
def test_s22_nobody_else_can_sign_a_colleague_out(admin: Person, forged: dict[str, str]):
    admin.open_session()
    headers = {name.replace("_", "-"): value for name, value in forged.items()}

    problem(admin.client.delete(PATH, headers=headers), 403, "csrf_failed")

    assert admin.client.get(PATH).status_code == 200


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.test"}, {"Sec_Fetch_Site": "cross-site"}]
)
def test_s22_no_other_page_can_sign_a_browser_in(admin: Person, headers: dict[str, Any]):
    problem(admin.open_session(**headers), 403, "csrf_failed")
    assert admin.open_session(Origin=SHOP, Sec_Fetch_Site="same-origin").status_code == 200


def test_s17_a_new_password_ends_the_session(admin: Person):
    admin.open_session()
    new = {"password": "another horse", "password_confirm": "another horse"}
    admin.call("POST", "/api/auth/password/change", {"current_password": PASSWORD, **new})
    problem(admin.client.get(PATH), 401, "session_expired")


def test_s17_a_session_that_is_ended_while_it_is_used_gives_no_token(
    admin: Person, deps: Dependencies, database: Database
):
    admin.open_session()
    database.change(
        "UPDATE admin_sessions SET used_at = now() - interval '2 minutes' WHERE user_id = :id",
        id=admin.id,
    )

    with ThreadPoolExecutor(1) as threads, deps.unit_of_work() as ending:
        end_all_access(ending.users.get(UUID(admin.id)), ending)
        used = threads.submit(vouch, admin.client)
        wait_until(database.somebody_waits)
        ending.commit()

    problem(used.result(), 401, "session_expired")


def test_s17_a_session_that_is_ended_before_its_user_is_read_gives_no_token(
    admin: Person, deps: Dependencies, monkeypatch: pytest.MonkeyPatch
):
    admin.open_session()
    find = SqlUserRepository.find

    def late(users: SqlUserRepository, user_id: UUID) -> Any:
        with deps.unit_of_work() as ending:
            end_all_access(ending.users.get(user_id), ending)
            ending.commit()
        return find(users, user_id)

    monkeypatch.setattr(SqlUserRepository, "find", late)

    problem(vouch(admin.client), 401, "session_expired")


def test_old_sessions_are_thrown_away(
    admin: Person, support: Person, deps: Dependencies, database: Database
):
    admin.open_session()
    support.open_session()
    database.change(
        "UPDATE admin_sessions SET used_at = now() - interval '1 hour' WHERE user_id = :id",
        id=admin.id,
    )

    while purge_expired(deps.unit_of_work(), session_idle=deps.settings.session_idle):
        pass

    count = "SELECT FROM admin_sessions WHERE user_id = :id"
    assert len(database.rows(count, id=admin.id)) == 0
    assert support.client.get(PATH).status_code == 200
