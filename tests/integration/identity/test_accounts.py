"""Opening an account and what is one's own, through the HTTP API."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient

from identity.bootstrap import Dependencies
from oja_web.testing import problem
from tests.integration.identity.conftest import (
    PASSWORD,
    Database,
    Held,
    Person,
    an_email,
    close,
    registration,
)
from tests.support.waiting import wait_until


def test_a_new_account(client: FlaskClient, database: Database):
    email = an_email()

    answer = client.post("/api/auth/register", json=registration(email, phone="0803 123 4567"))

    assert answer.status_code == 201
    user = answer.json
    created_at = user.pop("created_at")
    assert created_at.endswith("Z")
    assert user.pop("id")
    assert user == {
        "email": email,
        "first_name": "Ada",
        "last_name": "Obi",
        "phone": "+2348031234567",
        "roles": ["customer"],
        "email_verified": False,
        "is_active": True,
    }


def test_news_of_a_customer_leaves_with_the_account(ada: Person, database: Database):
    row, link = database.rows(
        "SELECT type, envelope FROM event_log WHERE subject = :id ORDER BY id", id=ada.id
    )
    assert link.type == "oja.identity.email_verification_requested.v1"
    assert row.type == "oja.identity.customer_registered.v1"
    assert PASSWORD.encode() not in bytes(row.envelope)
    assert len(database.rows("SELECT FROM outbox_pending WHERE subject = :id", id=ada.id)) == 2


def test_s01_the_password_is_kept_as_an_argon2id_hash(ada: Person, database: Database):
    [row] = database.rows("SELECT password_hash FROM users WHERE id = :id", id=ada.id)
    assert row.password_hash.startswith("$argon2id$v=19$m=8,t=1,p=1$")


def test_s05_the_address_is_taken_in_every_spelling(client: FlaskClient, ada: Person):
    for spelling in (ada.email, ada.email.upper(), f" {ada.email.title()} "):
        answer = client.post("/api/auth/register", json=registration(spelling))
        problem(answer, 409, "email_taken")


def test_s05_parallel_sign_ups_make_one_account(app, database: Database):
    email, statuses = an_email(), []
    start = threading.Barrier(8)

    def sign_up(spelling: str) -> None:
        start.wait(5)
        answer = app.test_client().post("/api/auth/register", json=registration(spelling))
        statuses.append(answer.status_code)

    in_threads(sign_up, [email, email.upper()] * 4)

    assert sorted(statuses) == [201] + [409] * 7
    assert len(database.rows("SELECT FROM users WHERE email_canonical = :e", e=email)) == 1


def in_threads(work: Any, arguments: list[Any]) -> None:
    threads = [threading.Thread(target=work, args=(argument,)) for argument in arguments]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)


def test_s03_all_that_speaks_against_a_password_is_told_at_once(client: FlaskClient):
    body = registration(an_email(), password="12345", password_confirm="12345")

    refused = problem(client.post("/api/auth/register", json=body), 422, "weak_password")

    assert [reason.split(":")[0] for reason in refused["errors"]["password"]] == [
        "Too short",
        "Too common",
        "Must not consist of digits only.",
    ]


def test_s03_a_password_like_ones_own_name_is_refused(client: FlaskClient):
    body = registration(an_email(), first_name="Adaeze") | dict.fromkeys(
        ("password", "password_confirm"), "adaeze12"
    )
    refused = problem(client.post("/api/auth/register", json=body), 422)
    assert refused["errors"]["password"] == ["Too similar to your name or email address."]


@pytest.mark.parametrize("confirm", ["", PASSWORD.upper(), f"{PASSWORD} ", PASSWORD[:-1], None])
def test_s04_the_password_is_confirmed_exactly(client: FlaskClient, confirm: Any):
    body = registration(an_email(), password_confirm=confirm)
    refused = problem(client.post("/api/auth/register", json=body), 422)
    assert "password_confirm" in refused["errors"]


def test_s04_a_long_passphrase_counts_to_its_last_character(client: FlaskClient):
    email, long = an_email(), "🐎 of course, " + "x" * 51
    body = registration(email, password=long, password_confirm=long)
    client.post("/api/auth/register", json=body)

    def log_in(password: str) -> int:
        body = {"email": email, "password": password}
        return client.post("/api/auth/login", json=body).status_code

    assert log_in(long) == 200
    assert log_in(long[:-1] + "y") == 401
    assert log_in(long + " ") == 401


def test_s04_what_is_too_long_is_refused_before_it_is_hashed(
    client: FlaskClient, deps: Dependencies, monkeypatch: pytest.MonkeyPatch
):
    def never(*_: object) -> None:
        raise AssertionError("hashed")

    monkeypatch.setattr(type(deps.hasher), "hash", never)
    monkeypatch.setattr(type(deps.hasher), "verify", never)
    long = "x y" * 86
    body = registration(an_email(), password=long, password_confirm=long)

    problem(client.post("/api/auth/register", json=body), 422)
    problem(client.post("/api/auth/login", json={"email": "a@b.co", "password": long}), 422)
    huge = {"email": "a@b.co", "password": "x" * 2_000_000}
    problem(client.post("/api/auth/login", json=huge), 413)


@pytest.mark.parametrize(
    "forbidden",
    ["role", "roles", "is_admin", "is_active", "email_verified", "id", "created_at", "permissions",
     "password_hash", "version", "user_id"],
)  # fmt: skip
def test_s24_s30_nobody_writes_what_is_the_servers(
    ada: Person, client: FlaskClient, forbidden: str
):
    body = registration(an_email(), **{forbidden: ["admin"]})
    assert forbidden in problem(client.post("/api/auth/register", json=body), 422)["errors"]
    answer = ada.call("PATCH", "/api/auth/me", {forbidden: ["admin"]})
    assert forbidden in problem(answer, 422)["errors"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "ada"), ("email", "a@b@c.com"), ("email", 7), ("first_name", ""),
     ("first_name", "x\r\nBcc: e@x.com"), ("last_name", None), ("phone", "12"),
     ("phone", "call me"), ("password", ["x"])],
)  # fmt: skip
def test_a_registration_that_makes_no_sense_names_the_field(
    client: FlaskClient, field: str, value: Any
):
    body = registration(an_email(), **{field: value})
    assert field in problem(client.post("/api/auth/register", json=body), 422)["errors"]


def test_the_own_account_is_shown_and_changed(ada: Person):
    assert ada.call("GET", "/api/auth/me").json["email"] == ada.email

    changed = ada.call("PATCH", "/api/auth/me", {"last_name": "Oba", "phone": "+2348031234567"})
    assert (changed.json["first_name"], changed.json["last_name"]) == ("Ada", "Oba")

    changed = ada.call("PATCH", "/api/auth/me", {"phone": None})
    assert (changed.json["last_name"], changed.json["phone"]) == ("Oba", None)
    assert ada.call("GET", "/api/auth/me").json == changed.json


def test_strangers_have_no_account(client: FlaskClient):
    problem(client.get("/api/auth/me"), 401, "unauthenticated")
    problem(client.patch("/api/auth/me", json={}), 401, "unauthenticated")


def test_s17_a_new_password_ends_all_that_was_signed_in_with_the_old_one(
    ada: Person, database: Database
):
    tokens = ada.tokens()
    new = {"password": "another horse", "password_confirm": "another horse"}

    answer = ada.call("POST", "/api/auth/password/change", {"current_password": PASSWORD, **new})

    assert answer.status_code == 204
    refreshed = ada.call("POST", "/api/auth/refresh", {"refresh_token": tokens["refresh_token"]})
    problem(refreshed, 401, "invalid_refresh_token")
    assert ada.log_in(PASSWORD).status_code == 401
    assert ada.log_in("another horse").status_code == 200
    assert "password_changed" in database.audit(ada.id)


def test_s11_a_new_password_needs_the_old_one_and_must_be_good(ada: Person):
    new = {"password": "another horse", "password_confirm": "another horse"}
    path = "/api/auth/password/change"

    wrong = ada.call("POST", path, {"current_password": "no", **new})
    assert "current_password" in problem(wrong, 422)["errors"]

    weak = dict.fromkeys(("password", "password_confirm"), "12345678")
    weak_answer = ada.call("POST", path, {"current_password": PASSWORD, **weak})
    assert "password" in problem(weak_answer, 422, "weak_password")["errors"]
    assert ada.log_in().status_code == 200


def an_address(**changes: Any) -> dict[str, Any]:
    return {
        "full_name": "Ada Obi",
        "phone": "+2348031234567",
        "line1": "1 Broad Street",
        "city": "Lagos",
        "state": "Lagos",
        "country": "NG",
    } | changes


ADDRESSES = "/api/auth/me/addresses"


def test_addresses_come_and_go_and_one_is_the_default(ada: Person):
    home = ada.call("POST", ADDRESSES, an_address())
    work = ada.call("POST", ADDRESSES, an_address(city="Abuja", is_default=True))
    assert (home.status_code, home.json["is_default"]) == (201, True)
    assert work.json["is_default"] is True

    listed = ada.call("GET", ADDRESSES).json
    assert [(item["city"], item["is_default"]) for item in listed["items"]] == [
        ("Lagos", False),
        ("Abuja", True),
    ]
    assert listed["next"] is None

    one = f"{ADDRESSES}/{home.json['id']}"
    changed = ada.call("PATCH", one, {"line2": "Flat 3", "is_default": True})
    assert changed.json == home.json | {"line2": "Flat 3"}
    assert ada.call("GET", one).json == changed.json

    written = ada.call("PUT", one, an_address(city="Ibadan"))
    assert (written.json["city"], written.json["line2"]) == ("Ibadan", None)

    assert ada.call("DELETE", one).status_code == 204
    [left] = ada.call("GET", ADDRESSES).json["items"]
    assert left == work.json


def test_s27_the_addresses_of_others_do_not_exist(ada: Person, zoe: Person):
    of_ada = ada.call("POST", ADDRESSES, an_address()).json["id"]

    for address_id in (of_ada, "0199f3c8-0000-7000-8000-000000000000"):
        one = f"{ADDRESSES}/{address_id}"
        answers = [
            zoe.call("GET", one),
            zoe.call("PATCH", one, {"city": "Jos"}),
            zoe.call("PUT", one, an_address()),
            zoe.call("DELETE", one),
        ]
        details = {problem(answer, 404, "not_found")["detail"] for answer in answers}
        assert details == {"There is no such address."}

    assert zoe.call("GET", ADDRESSES).json["items"] == []
    assert len(ada.call("GET", ADDRESSES).json["items"]) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("country", "Nigeria"), ("country", "ng"), ("country", "XX"), ("phone", "1"),
     ("city", ""), ("is_default", "yes"), ("user_id", "1"), ("id", "1")],
)  # fmt: skip
def test_an_address_that_nobody_could_deliver_to_is_refused(ada: Person, field: str, value: Any):
    answer = ada.call("POST", ADDRESSES, an_address(**{field: value}))
    assert field in problem(answer, 422)["errors"]


def test_two_devices_that_add_an_address_at_once_both_count(ada: Person, app):
    def add(city: str) -> None:
        app.test_client().post(
            ADDRESSES, json=an_address(city=city, is_default=True), headers=ada.headers
        )

    in_threads(add, [f"City {n}" for n in range(6)])

    items = ada.call("GET", ADDRESSES).json["items"]
    assert len(items) == 6
    assert sum(item["is_default"] for item in items) == 1


def test_who_closes_their_account_is_forgotten(ada: Person, database: Database):
    tokens = ada.tokens()
    ada.call("POST", ADDRESSES, an_address())

    assert ada.call("DELETE", "/api/auth/me", {"password": PASSWORD}).status_code == 202

    [row] = database.rows("SELECT * FROM users WHERE id = :id", id=ada.id)
    assert ada.email not in str(row)
    assert "Ada" not in str(row)
    assert not row.is_active
    for table in ("addresses", "user_roles", "one_time_requests"):
        assert not database.rows(f"SELECT FROM {table} WHERE user_id = :id", id=ada.id)
    assert ada.log_in().status_code == 401
    body = {"refresh_token": tokens["refresh_token"]}
    assert ada.client.post("/api/auth/refresh", json=body).status_code == 401
    wait_until(lambda: ada.call("GET", "/api/auth/me").status_code == 401)
    told = database.rows("SELECT type FROM event_log WHERE subject = :id", id=ada.id)
    assert "oja.identity.customer_erased.v1" in [row.type for row in told]
    assert ada.client.post("/api/auth/register", json=registration(ada.email)).status_code == 201


OWN_WRITES = [
    ("PATCH", "/api/auth/me", {"first_name": "Ada"}),
    ("POST", ADDRESSES, an_address()),
    ("POST", "/api/auth/email/resend", None),
]


@pytest.mark.parametrize(("method", "path", "body"), OWN_WRITES)
def test_nothing_is_written_to_an_account_that_was_closed_meanwhile(
    ada: Person,
    held: Held,
    deps: Dependencies,
    database: Database,
    method: str,
    path: str,
    body: Any,
):
    with ThreadPoolExecutor(2) as threads:
        closing = threads.submit(close, ada, deps, held.uow)
        held.reached.wait(20)
        written = threads.submit(ada.call, method, path, body)
        wait_until(database.somebody_waits)
        held.let_go.set()
        closing.result()

    problem(written.result(), 401)
    [row] = database.rows("SELECT * FROM users WHERE id = :id", id=ada.id)
    assert row.first_name == "Erased"
    for table in ("addresses", "one_time_requests"):
        assert not database.rows(f"SELECT FROM {table} WHERE user_id = :id", id=ada.id)


def test_closing_an_account_needs_its_password(ada: Person):
    refused = ada.call("DELETE", "/api/auth/me", {"password": "not it"})

    assert (refused.status_code, list(refused.json["errors"])) == (422, ["password"])
    assert ada.call("DELETE", "/api/auth/me", {}).status_code == 422
    assert ada.log_in().status_code == 200
