"""Another address for an account, over the API and a real database; here we are notifier too."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from oja_web.testing import problem
from tests.integration.identity.conftest import PASSWORD, Database, Person, an_email
from tests.integration.identity.test_mailed_links import (
    ask_for_link,
    forget,
    requested,
    reset,
    token_for,
)
from tests.support.waiting import wait_until

ASKED = "email_change_requested"


def ask(person: Person, email: str, password: str = PASSWORD) -> TestResponse:
    body = {"email": email, "password": password}
    return person.call("POST", "/api/auth/email/change", body)


def confirm(person: Person, token: str, **headers: str) -> TestResponse:
    return person.client.post("/api/auth/email/confirm", json={"token": token}, headers=headers)


def told(database: Database, person: Person, event: str) -> list[dict[str, Any]]:
    rows = database.rows(
        "SELECT convert_from(envelope, 'UTF8')::jsonb -> 'data' AS data FROM event_log"
        " WHERE type = :type AND subject = :id ORDER BY id",
        type=f"oja.identity.{event}.v1",
        id=person.id,
    )
    return [row.data for row in rows]


def me(person: Person) -> dict[str, Any]:
    answer = person.call("GET", "/api/auth/me")
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


@pytest.mark.parametrize("password", ["not it", ""])
def test_s11_another_address_needs_the_password(ada: Person, database: Database, password: str):
    refused = ask(ada, an_email(), password)

    assert "password" in problem(refused, 422)["errors"]
    assert requested(database, ada, ASKED) == []


def test_s11_without_a_password_nothing_is_asked(ada: Person, database: Database):
    refused = ada.call("POST", "/api/auth/email/change", {"email": an_email()})

    assert refused.status_code == 422
    assert requested(database, ada, ASKED) == []


def test_s11_nothing_changes_before_the_new_address_is_proved(ada: Person, database: Database):
    new = an_email()

    assert ask(ada, new).status_code == 202

    assert me(ada)["email"] == ada.email
    [request] = told(database, ada, ASKED)
    assert request["email"] == new
    assert told(database, ada, "email_changed") == []
    assert ada.log_in().status_code == 200


def test_s11_the_link_moves_the_account_and_the_old_address_gets_a_notice(
    ada: Person, database: Database
):
    new = an_email()
    ask(ada, new.upper())

    assert confirm(ada, token_for(database, ada, ASKED)).status_code == 204

    [notice] = told(database, ada, "email_changed")
    assert notice["email"] == ada.email
    assert new not in str(notice)
    assert ada.log_in().status_code == 401
    ada.email = new
    ada.tokens()
    assert me(ada)["email_verified"] is True
    assert me(ada)["email"].casefold() == new
    assert database.audit(ada.id).count("email_changed") == 1
    rows = database.rows("SELECT detail FROM audit_log WHERE target_id = :id", id=ada.id)
    assert new not in str(rows)


def test_s17_another_address_ends_all_access(ada: Person, database: Database):
    tokens = ada.tokens()
    ask(ada, an_email())

    confirm(ada, token_for(database, ada, ASKED))

    body = {"refresh_token": tokens["refresh_token"]}
    assert ada.client.post("/api/auth/refresh", json=body).status_code == 401
    wait_until(lambda: ada.call("GET", "/api/auth/me").status_code == 401)
    assert len(told(database, ada, "access_revoked")) == 1


def test_s07_whether_an_address_is_taken_is_not_told(ada: Person, zoe: Person, database: Database):
    known, unknown = ask(ada, zoe.email), ask(ada, an_email())

    assert (known.status_code, known.data) == (unknown.status_code, unknown.data)
    assert set(known.headers.keys()) == set(unknown.headers.keys())


def test_s07_who_has_the_address_already_gets_no_mail(ada: Person, zoe: Person, database: Database):
    ask(ada, zoe.email.upper())

    [request_id] = requested(database, ada, ASKED)
    assert ask_for_link(ada.client, request_id).status_code == 410


def test_s05_an_address_that_got_an_account_meanwhile_stays_with_it(
    ada: Person, zoe: Person, database: Database
):
    new = an_email()
    ask(ada, new)
    ask(zoe, new)
    of_ada, of_zoe = token_for(database, ada, ASKED), token_for(database, zoe, ASKED)

    with ThreadPoolExecutor(2) as pool:
        both = [
            pool.submit(confirm, ada, of_ada),
            pool.submit(confirm, zoe, of_zoe),
        ]
        answers = sorted(each.result().status_code for each in both)

    assert answers == [204, 409]
    assert len(database.rows("SELECT FROM users WHERE email_canonical = :new", new=new)) == 1


def test_s09_a_link_to_another_address_works_once_and_for_its_owner(
    ada: Person, zoe: Person, database: Database
):
    ask(ada, an_email())
    token = token_for(database, ada, ASKED)

    assert confirm(zoe, token, **zoe.headers).status_code == 422
    assert reset(ada, token).status_code == 422
    assert confirm(ada, token, **ada.headers).status_code == 204
    assert confirm(ada, token).status_code == 422


def test_s09_another_password_makes_the_link_worthless(ada: Person, database: Database):
    ask(ada, an_email())
    token = token_for(database, ada, ASKED)
    forget(ada)

    assert reset(ada, token_for(database, ada, "password_reset_requested")).status_code == 204

    problem(confirm(ada, token), 422, "invalid_token")


def test_s09_a_link_for_a_reset_dies_with_the_old_address(ada: Person, database: Database):
    forget(ada)
    lost = token_for(database, ada, "password_reset_requested")
    ask(ada, an_email())

    confirm(ada, token_for(database, ada, ASKED))

    problem(reset(ada, lost), 422, "invalid_token")


def test_the_address_that_one_has_cannot_be_asked_for(ada: Person, app: Flask):
    refused = ask(ada, ada.email.upper())

    assert "email" in problem(refused, 422)["errors"]
