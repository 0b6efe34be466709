"""Roles that staff make, the audit log, and one's own sessions at the console, over the API."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from identity.adapters.unit_of_work import SqlUnitOfWork
from identity.bootstrap import Dependencies
from identity.use_cases.commands import staff
from oja_web.testing import bearer, problem
from tests.integration.identity.conftest import Database, Held, Person, a_colleague
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


def give(role: str, to: Person, by: Person, uow: SqlUnitOfWork) -> None:
    staff.change_user(
        UUID(to.id),
        is_active=None,
        roles=frozenset({role}),
        by=staff.Actor(UUID(by.id)),
        precondition=lambda version: None,
        uow=uow,
    )


@pytest.fixture
def while_given(
    admin: Person, ada: Person, held: Held, database: Database
) -> Callable[[str, Callable[[], TestResponse]], TestResponse]:
    """The answer to a call that comes when `ada` has been given a role, but not for good yet."""

    def run(role: str, call: Callable[[], TestResponse]) -> TestResponse:
        with ThreadPoolExecutor(2) as threads:
            given = threads.submit(give, role, ada, admin, held.uow)
            held.reached.wait(20)
            answer = threads.submit(call)
            wait_until(lambda: answer.done() or database.somebody_waits())
            held.let_go.set()
            given.result()
        return answer.result()

    return run


def test_s17_who_is_given_a_role_while_it_changes_keeps_nothing_of_before(
    admin: Person, ada: Person, while_given: Any, database: Database
):
    name = a_role(admin, "orders:read")
    less = {"description": "x", "permissions": []}

    answer = while_given(name, lambda: write(admin, "PUT", name, less))

    assert answer.status_code == 200
    told = database.rows(
        "SELECT convert_from(envelope, 'UTF8')::jsonb #> '{data,permissions}' AS permissions"
        " FROM event_log WHERE type = :type AND subject = :id ORDER BY id",
        type="oja.identity.staff_changed.v1",
        id=ada.id,
    )
    assert [news.permissions for news in told] == [["orders:read"], []]
    revoked = "SELECT FROM users WHERE id = :id AND access_generation = 3"
    assert database.rows(revoked, id=ada.id)


def test_a_role_that_is_given_while_it_is_deleted_stays(
    admin: Person, ada: Person, while_given: Any
):
    name = a_role(admin, "orders:read")

    problem(while_given(name, lambda: write(admin, "DELETE", name)), 409, "role_in_use")

    assert admin.call("GET", f"/api/admin/users/{ada.id}").json["roles"] == [name]


def test_who_gives_a_role_of_theirs_while_it_changes_does_not_get_stuck(
    admin: Person, ada: Person, app: Flask, deps: Dependencies, database: Database
):
    name = a_role(admin, "users:write")
    manager = a_colleague(app, deps, name)

    with ThreadPoolExecutor(1) as threads, deps.unit_of_work() as changing:
        changing.roles.lock(name)
        given = threads.submit(give, name, ada, manager, deps.unit_of_work())
        wait_until(database.somebody_waits)
        changing.users.lock(changing.roles.holders(name))
        changing.commit()

    given.result()
    assert admin.call("GET", f"/api/admin/users/{ada.id}").json["roles"] == [name]


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
