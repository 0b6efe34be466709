"""Roles that staff make, the audit log, and one's own sessions at the console, over the API."""

from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from identity.bootstrap import Dependencies
from oja_web.testing import bearer, problem
from tests.integration.identity.conftest import Database, Person, a_colleague
from tests.support.waiting import wait_until

ROLES = "/api/admin/roles"


def a_role(by: Person, *permissions: str) -> str:
    name = f"role_{uuid4().hex[:12]}"
    body = {"name": name, "description": "For a test", "permissions": list(permissions)}
    assert by.call("POST", ROLES, body).status_code == 201
    return name


def write(by: Person, method: str, name: str, body: Any = None) -> TestResponse:
    seen = by.call("GET", f"{ROLES}/{name}").headers["ETag"]
    return by.call(method, f"{ROLES}/{name}", body, If_Match=seen)


@pytest.fixture
def roles_only(app: Flask, deps: Dependencies, admin: Person) -> Person:
    """May change roles and see orders, nothing else."""
    return a_colleague(app, deps, a_role(admin, "roles:write", "users:read", "orders:read"))


def test_a_role_is_made_changed_and_deleted(admin: Person, database: Database):
    name = a_role(admin, "orders:read", "orders:write")
    assert admin.call("GET", f"{ROLES}/{name}").json == {
        "name": name,
        "description": "For a test",
        "built_in": False,
        "permissions": ["orders:read", "orders:write"],
    }

    body = {"description": "Reads", "permissions": ["orders:read"]}
    changed = write(admin, "PUT", name, body)
    assert (changed.status_code, changed.json["permissions"]) == (200, ["orders:read"])

    assert write(admin, "DELETE", name).status_code == 204
    problem(admin.call("GET", f"{ROLES}/{name}"), 404, "not_found")
    actions = database.rows(
        "SELECT action, detail FROM audit_log WHERE detail ->> 'role' = :name ORDER BY id",
        name=name,
    )
    assert [row.action for row in actions] == ["role_created", "role_changed", "role_deleted"]
    assert actions[1].detail["before"]["permissions"] == ["orders:read", "orders:write"]
    assert actions[1].detail["after"]["permissions"] == ["orders:read"]


def test_s32_nobody_makes_a_role_that_gives_more_than_they_hold(roles_only: Person):
    body = {"name": "sneaky", "description": "x", "permissions": ["payments:refund"]}

    problem(roles_only.call("POST", ROLES, body), 403, "beyond_own_permissions")
    assert a_role(roles_only, "orders:read")


def test_s32_nobody_takes_from_a_role_what_they_do_not_hold(roles_only: Person, admin: Person):
    name = a_role(admin, "payments:refund")
    body = {"description": "x", "permissions": ["orders:read"]}

    problem(write(roles_only, "PUT", name, body), 403, "beyond_own_permissions")
    problem(write(roles_only, "DELETE", name), 403, "beyond_own_permissions")


def test_built_in_roles_stay_as_they_are(admin: Person):
    body = {"description": "x", "permissions": []}
    for name in ("admin", "customer"):
        problem(write(admin, "PUT", name, body), 409, "role_built_in")
        problem(write(admin, "DELETE", name), 409, "role_built_in")


def test_a_role_that_somebody_has_is_not_deleted(admin: Person, app: Flask, deps: Dependencies):
    name = a_role(admin, "orders:read")
    a_colleague(app, deps, name)

    problem(write(admin, "DELETE", name), 409, "role_in_use")


def test_s17_who_has_a_role_that_changes_signs_in_anew(
    admin: Person, app: Flask, deps: Dependencies
):
    name = a_role(admin, "orders:read")
    colleague = a_colleague(app, deps, name)
    tokens = colleague.tokens()

    write(admin, "PUT", name, {"description": "x", "permissions": []})

    body = {"refresh_token": tokens["refresh_token"]}
    assert colleague.client.post("/api/auth/refresh", json=body).status_code == 401
    headers = bearer(tokens["access_token"])
    wait_until(lambda: colleague.client.get("/api/auth/me", headers=headers).status_code == 401)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Role"},
        {"name": ""},
        {"name": "role\n"},
        {"permissions": ["no:such"]},
        {"permissions": "orders:read"},
        {"built_in": True},
    ],
)
def test_odd_roles_are_refused(admin: Person, changes: dict[str, Any]):
    body = {"name": f"r{uuid4().hex}", "description": "x", "permissions": []} | changes

    assert admin.call("POST", ROLES, body).status_code == 422


def test_a_name_is_taken_once_and_a_change_needs_to_have_seen_the_role(admin: Person):
    name = a_role(admin)
    body = {"description": "x", "permissions": []}

    problem(admin.call("POST", ROLES, body | {"name": name}), 409, "role_taken")
    problem(admin.call("PUT", f"{ROLES}/{name}", body), 428, "precondition_required")
    problem(
        admin.call("PUT", f"{ROLES}/{name}", body, If_Match='"v99"'), 412, "precondition_failed"
    )


def test_the_audit_log_is_read_page_by_page(admin: Person, support: Person, ada: Person):
    path = f"/api/admin/audit?target_id={ada.id}&size=1&total=true"
    ada.log_in("not the password")

    newest = admin.call("GET", path).json

    [entry] = newest["items"]
    assert (entry["action"], entry["detail"]) == ("sign_in_failed", {"reason": "wrong password"})
    assert newest["total"] >= 2
    rest = admin.call("GET", f"{path}&cursor={newest['next']}").json
    assert rest["items"][0]["action"] == "signed_in"
    assert rest["items"][0]["id"] < entry["id"]
    by_action = admin.call("GET", "/api/admin/audit?action=signed_in&size=3").json["items"]
    assert {each["action"] for each in by_action} == {"signed_in"}
    problem(support.call("GET", "/api/admin/audit"), 403, "forbidden")


def test_staff_see_and_end_their_own_sessions(app: Flask, admin: Person, support: Person):
    here = admin.open_session()
    elsewhere = Person(app.test_client(), admin.email, admin.id)
    elsewhere.open_session()
    support.open_session()

    listed = admin.client.get("/api/admin/session/all").json["items"]
    assert len(listed) == 2
    [other] = [each["id"] for each in listed if not each["current"]]

    csrf = {"X-CSRF-Token": here.json["csrf_token"]}
    path = f"/api/admin/session/{other}"
    problem(admin.client.delete(path), 403, "csrf_failed")
    theirs = support.client.get("/api/admin/session").json["csrf_token"]
    problem(support.client.delete(path, headers={"X-CSRF-Token": theirs}), 404, "not_found")
    assert admin.client.delete(path, headers=csrf).status_code == 204

    assert elsewhere.client.get("/api/admin/session").status_code == 401
    assert admin.client.get("/api/admin/session").status_code == 200
    problem(admin.client.delete(path, headers=csrf), 404, "not_found")
