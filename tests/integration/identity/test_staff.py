"""Users, roles and permissions for staff, through the HTTP API."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from identity.bootstrap import Dependencies
from oja_web.testing import problem
from tests.integration.identity.conftest import (
    PASSWORD,
    Database,
    Person,
    a_colleague,
    an_email,
    registration,
)
from tests.integration.identity.test_accounts import in_threads

USERS = "/api/admin/users"


def change(by: Person, user: Person, body: dict[str, Any], etag: str | None = None) -> TestResponse:
    seen = etag or by.call("GET", f"{USERS}/{user.id}").headers["ETag"]
    return by.call("PATCH", f"{USERS}/{user.id}", body, If_Match=seen)


def test_staff_see_users_with_an_etag(support: Person, ada: Person):
    answer = support.call("GET", f"{USERS}/{ada.id}")

    assert answer.json == ada.call("GET", "/api/auth/me").json
    assert answer.headers["ETag"].startswith('"v')
    problem(support.call("GET", f"{USERS}/{uuid4()}"), 404, "not_found")


def test_s26_others_see_nothing(ada: Person, client: FlaskClient):
    for path in (USERS, f"{USERS}/{ada.id}", "/api/admin/roles", "/api/admin/permissions"):
        problem(ada.call("GET", path), 403, "forbidden")
        problem(client.get(path), 401, "unauthenticated")


def test_s26_reading_is_not_writing(support: Person, ada: Person):
    problem(support.call("PATCH", f"{USERS}/{ada.id}", {"is_active": False}), 403, "forbidden")
    problem(support.call("POST", USERS, {}), 403, "forbidden")


def test_users_are_found_page_by_page(support: Person, app: Flask):
    family = f"Olu{uuid4().hex[:8]}"
    ids = []
    for _ in range(5):
        body = registration(an_email(), last_name=family)
        ids.append(app.test_client().post("/api/auth/register", json=body).json["id"])

    found: list[str] = []
    cursor = ""
    while cursor is not None:
        page = support.call(
            "GET", f"{USERS}?search={family.lower()}&size=2&total=true{cursor}"
        ).json
        assert page["total"] == 5
        found += [user["id"] for user in page["items"]]
        cursor = f"&cursor={page['next']}" if page["next"] else None

    assert found == ids[::-1]


def test_users_are_found_by_address_role_and_state(
    support: Person, admin: Person, ada: Person, database: Database
):
    def find(query: str) -> set[str]:
        return {
            user["id"] for user in support.call("GET", f"{USERS}?size=100&{query}").json["items"]
        }

    assert find(f"search={ada.email.upper()}") == {ada.id}
    assert admin.id in find("role=admin")
    assert ada.id not in find("role=admin")
    assert find("role=nobody") == set()
    assert find(f"search={ada.email}&is_active=false") == set()
    database.change("UPDATE users SET is_active = false WHERE id = :id", id=ada.id)
    assert find(f"search={ada.email}&is_active=false") == {ada.id}


@pytest.mark.parametrize("wild", ["%", "_", "\\", "%25", "a%b"])
def test_s46_wild_cards_are_plain_characters(support: Person, ada: Person, wild: str):
    answer = support.client.get(USERS, query_string={"search": wild}, headers=support.headers)
    assert answer.json["items"] == []


@pytest.mark.parametrize(
    "query", ["size=0", "size=101", "is_active=yes", "cursor=x", "search=", "is_active="]
)
def test_a_query_that_makes_no_sense_is_refused(support: Person, query: str):
    problem(support.call("GET", f"{USERS}?{query}"), 422)


def test_roles_and_permissions_are_data(support: Person):
    roles = {role["name"]: role for role in support.call("GET", "/api/admin/roles").json["items"]}
    names = [item["name"] for item in support.call("GET", "/api/admin/permissions").json["items"]]

    assert roles["customer"]["permissions"] == []
    assert roles["admin"]["permissions"] == names
    assert {name for name, role in roles.items() if role["built_in"]} == {
        "admin",
        "catalog_manager",
        "customer",
        "order_manager",
        "support",
    }
    assert all(role["description"] for role in roles.values())


def test_s32_a_role_is_given_and_noted(admin: Person, ada: Person, database: Database):
    answer = change(admin, ada, {"roles": ["customer", "support"]})

    assert answer.json["roles"] == ["customer", "support"]
    assert answer.headers["ETag"] == admin.call("GET", f"{USERS}/{ada.id}").headers["ETag"]
    [row] = database.rows(
        "SELECT * FROM audit_log WHERE target_id = :id AND action = 'user_changed'", id=ada.id
    )
    assert (str(row.actor_id), row.address) == (admin.id, "127.0.0.1")
    assert row.request_id == answer.headers["X-Request-ID"]
    assert row.detail["before"]["roles"] == ["customer"]
    assert row.detail["after"]["roles"] == ["customer", "support"]
    ada.tokens()
    assert ada.call("GET", USERS).status_code == 200


def test_s17_who_is_disabled_is_out_everywhere(admin: Person, support: Person):
    token = support.tokens()["refresh_token"]
    support.open_session()

    assert change(admin, support, {"is_active": False}).json["is_active"] is False

    problem(support.call("POST", "/api/auth/refresh", {"refresh_token": token}), 401)
    problem(support.client.get("/api/admin/session"), 401)
    problem(support.log_in(), 401, "invalid_credentials")
    problem(support.open_session(), 401, "invalid_credentials")

    change(admin, support, {"is_active": True})
    assert support.log_in().status_code == 200


def test_a_change_needs_the_version_that_was_seen(admin: Person, ada: Person):
    path = f"{USERS}/{ada.id}"
    seen = admin.call("GET", path).headers["ETag"]

    problem(admin.call("PATCH", path, {"is_active": False}), 428, "precondition_required")
    assert change(admin, ada, {"roles": ["support"]}, seen).status_code == 200
    problem(change(admin, ada, {"is_active": False}, seen), 412, "precondition_failed")


def test_s24_a_former_admins_token_changes_nothing(
    app: Flask, deps: Dependencies, admin: Person, ada: Person
):
    former = a_colleague(app, deps, "admin")
    assert change(admin, former, {"roles": ["support"]}).status_code == 200

    for whom, wish in ((former, {"roles": ["admin"]}), (ada, {"is_active": False})):
        seen = admin.call("GET", f"{USERS}/{whom.id}").headers["ETag"]
        # The permissions of now decide, until the token itself has ended, a moment later.
        assert change(former, whom, wish, seen).status_code in (401, 403)
    assert admin.call("GET", f"{USERS}/{former.id}").json["roles"] == ["support"]
    assert admin.call("GET", f"{USERS}/{ada.id}").json["is_active"] is True


@pytest.mark.parametrize(
    "body",
    [{}, {"is_active": None, "roles": None}, {"is_active": "false"}, {"roles": "admin"},
     {"roles": ["owner"]}, {"roles": [1]}, {"email": "x@y.zz"}, {"permissions": ["users:read"]},
     {"roles": ["x"] * 21}],
)  # fmt: skip
def test_s30_a_change_that_makes_no_sense_is_refused(admin: Person, ada: Person, body: Any):
    problem(change(admin, ada, body), 422)
    assert admin.call("GET", f"{USERS}/{ada.id}").json["roles"] == ["customer"]


def only_admins(database: Database, *admins: Person) -> None:
    database.change(
        "DELETE FROM user_roles WHERE role = 'admin' AND user_id <> ALL(CAST(:ids AS uuid[]))",
        ids=[admin.id for admin in admins],
    )


def test_the_last_admin_cannot_be_lost(admin: Person, database: Database):
    only_admins(database, admin)

    problem(change(admin, admin, {"is_active": False}), 409, "last_admin")
    problem(change(admin, admin, {"roles": ["support"]}), 409, "last_admin")

    assert admin.call("GET", f"{USERS}/{admin.id}").json["roles"] == ["admin"]


def test_a_closed_account_is_nobodys_again(admin: Person, zoe: Person, database: Database):
    zoe.call("DELETE", "/api/auth/me", {"password": PASSWORD})

    refused = change(admin, zoe, {"is_active": True, "roles": ["admin"]})

    problem(refused, 409, "account_erased")
    [row] = database.rows("SELECT is_active FROM users WHERE id = :id", id=zoe.id)
    assert not row.is_active


def test_an_administrator_who_cannot_sign_in_is_none(
    admin: Person, zoe: Person, database: Database
):
    """Shops may have one from when closed accounts could be given roles."""
    only_admins(database, admin)
    zoe.call("DELETE", "/api/auth/me", {"password": PASSWORD})
    database.change("UPDATE users SET is_active = true WHERE id = :id", id=zoe.id)
    database.change("INSERT INTO user_roles VALUES (:id, 'admin')", id=zoe.id)

    problem(change(admin, admin, {"is_active": False}), 409, "last_admin")


def test_of_two_admins_who_remove_each_other_one_stays(
    app: Flask, deps: Dependencies, database: Database
):
    for _ in range(5):
        one, other = a_colleague(app, deps, "admin"), a_colleague(app, deps, "admin")
        only_admins(database, one, other)
        etags = {
            person.id: one.call("GET", f"{USERS}/{person.id}").headers["ETag"]
            for person in (one, other)
        }

        in_threads(
            lambda deed: change(deed[0], deed[1], {"is_active": False}, deed[2]),
            [(one, other, etags[other.id]), (other, one, etags[one.id])],
        )

        left = database.rows(
            "SELECT FROM users JOIN user_roles ON user_id = id WHERE role = 'admin' AND is_active"
        )
        assert len(left) == 1


def test_an_admin_is_removed_while_another_one_is_made(
    admin: Person, app: Flask, deps: Dependencies
):
    other = a_colleague(app, deps, "admin")

    with ThreadPoolExecutor(1) as threads, deps.unit_of_work() as making:
        making.roles.hold({"admin"})
        removed = threads.submit(change, admin, other, {"roles": ["support"]})
        assert removed.result(20).status_code == 200


def test_three_admins_who_all_resign_leave_one(app: Flask, deps: Dependencies, database: Database):
    admins = [a_colleague(app, deps, "admin") for _ in range(3)]
    only_admins(database, *admins)

    in_threads(lambda admin: change(admin, admin, {"roles": ["support"]}), admins)

    left = database.rows(
        "SELECT FROM users JOIN user_roles ON user_id = id WHERE role = 'admin' AND is_active"
    )
    assert len(left) == 1


def test_a_colleague_gets_an_account(admin: Person, client: FlaskClient, database: Database):
    email = an_email()

    answer = admin.call("POST", USERS, registration(email, roles=["order_manager"]))

    assert answer.status_code == 201
    assert answer.json["roles"] == ["order_manager"]
    assert answer.headers["Location"] == f"{USERS}/{answer.json['id']}"
    assert database.audit(answer.json["id"]) == ["user_created"]
    told = database.rows("SELECT type FROM event_log WHERE subject = :id", id=answer.json["id"])
    assert [row.type for row in told] == ["oja.identity.staff_changed.v1"]
    problem(admin.call("POST", USERS, registration(email, roles=[])), 409, "email_taken")
    weak = dict.fromkeys(("password", "password_confirm"), "1234")
    refused = admin.call("POST", USERS, registration(an_email(), roles=[], **weak))
    assert "password" in problem(refused, 422, "weak_password")["errors"]
    unknown = admin.call("POST", USERS, registration(an_email(), roles=["owner"]))
    assert "roles" in problem(unknown, 422)["errors"]


SECRETS = {"password", "password_hash", "token_hash", "digest", "email_canonical", "secret"}


def test_s31_no_answer_shows_what_is_kept_secret(admin: Person, ada: Person):
    answers = [
        admin.call("GET", USERS),
        admin.call("GET", f"{USERS}/{ada.id}"),
        ada.call("GET", "/api/auth/me"),
        admin.open_session(),
        admin.client.get("/api/admin/session"),
    ]
    for answer in answers:
        assert not SECRETS & keys(answer.json)
        assert b"$argon2" not in answer.data


def keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*map(keys, value.values()))
    return set().union(*map(keys, value)) if isinstance(value, list) else set()
