"""Everybody who has to know learns who is on the staff and what they may do."""

from typing import Any

from flask import Flask

from identity.bootstrap import Dependencies
from identity.use_cases.commands import staff
from oja_events.contracts.identity import StaffChanged
from tests.integration.identity.conftest import Database, Person, a_colleague
from tests.integration.identity.test_roles import a_role, write

USERS = "/api/admin/users"


def told_of(user_id: str, database: Database) -> list[Any]:
    """The news of this member of the staff, oldest first."""
    rows = database.rows(
        "SELECT convert_from(envelope, 'UTF8')::jsonb -> 'data' AS data FROM event_log"
        " WHERE type = :type AND subject = :subject ORDER BY id",
        type=StaffChanged.TYPE,
        subject=user_id,
    )
    return [row.data for row in rows]


def patch(by: Person, user_id: str, **changes: Any) -> None:
    seen = by.call("GET", f"{USERS}/{user_id}").headers["ETag"]
    assert by.call("PATCH", f"{USERS}/{user_id}", changes, If_Match=seen).status_code == 200


def test_a_new_colleague_is_told_with_what_they_may_do(
    app: Flask, deps: Dependencies, database: Database
):
    support = a_colleague(app, deps, "support")

    (news,) = told_of(support.id, database)

    assert (news["email"], news["name"], news["is_active"]) == (support.email, "Shop Keeper", True)
    assert {"alerts:read", "orders:read"} <= set(news["permissions"])
    assert "orders:write" not in news["permissions"]


def test_customers_are_no_news_of_staff(ada: Person, database: Database):
    ada.call("PATCH", "/api/auth/me", {"first_name": "Adaeze"})

    assert told_of(ada.id, database) == []


def test_roles_that_are_given_and_taken_are_told(ada: Person, admin: Person, database: Database):
    patch(admin, ada.id, roles=["customer", "support"])
    patch(admin, ada.id, roles=["customer"])

    given, taken = told_of(ada.id, database)
    assert "alerts:read" in given["permissions"]
    assert taken["permissions"] == []
    assert taken["version"] > given["version"]


def test_disabling_somebody_is_told(support: Person, admin: Person, database: Database):
    patch(admin, support.id, is_active=False)

    assert [news["is_active"] for news in told_of(support.id, database)] == [True, False]


def test_a_role_that_gives_less_is_told_of_everybody_who_has_it(
    app: Flask, deps: Dependencies, admin: Person, database: Database
):
    role = a_role(admin, "alerts:read", "inventory:read")
    colleague = a_colleague(app, deps, role)

    body = {"description": "Less", "permissions": ["inventory:read"]}
    assert write(admin, "PUT", role, body).status_code == 200

    assert [news["permissions"] for news in told_of(colleague.id, database)] == [
        ["alerts:read", "inventory:read"],
        ["inventory:read"],
    ]


def test_another_name_is_told(support: Person, database: Database):
    support.call("PATCH", "/api/auth/me", {"first_name": "Sade", "last_name": "Bello"})

    assert told_of(support.id, database)[-1]["name"] == "Sade Bello"


def test_a_closed_account_is_told_without_the_person(support: Person, database: Database):
    answer = support.call("DELETE", "/api/auth/me", {"password": support.password})

    news = told_of(support.id, database)[-1]
    assert answer.status_code == 202
    assert (news["is_active"], news["permissions"]) == (False, [])
    assert news["email"] == f"erased-{support.id}@erased.invalid"
    assert "Keeper" not in news["name"]


def test_the_others_are_told_once_more_of_the_staff_and_of_nobody_else(
    ada: Person, support: Person, deps: Dependencies, database: Database
):
    told = staff.tell_of_all(uow=deps.unit_of_work())

    first, second = told_of(support.id, database)
    assert second["version"] > first["version"]
    assert {**second, "version": 0, "changed_at": 0} == {**first, "version": 0, "changed_at": 0}
    assert told_of(ada.id, database) == []
    assert told >= 1
