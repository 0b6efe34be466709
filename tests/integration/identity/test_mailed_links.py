"""Links that come by mail, over the API and a real database; here we are notifier too."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from identity.bootstrap import Dependencies
from identity.use_cases.commands.mailed_links import answer_forgotten
from tests.integration.identity.conftest import (
    INTERNAL_TOKEN,
    PASSWORD,
    SHOP,
    Database,
    Held,
    Person,
    an_email,
    close,
)
from tests.support.waiting import wait_until

BETTER = "another horse of course"
VERIFIED, RESET = "email_verification_requested", "password_reset_requested"


def requested(database: Database, person: Person, event: str) -> list[str]:
    """What identity told of requests for this person, oldest first."""
    rows = database.rows(
        "SELECT convert_from(envelope, 'UTF8')::jsonb -> 'data' ->> 'request_id' AS id"
        " FROM event_log WHERE type = :type AND subject = :subject ORDER BY id",
        type=f"oja.identity.{event}.v1",
        subject=person.id,
    )
    return [row.id for row in rows]


def ask_for_link(client: FlaskClient, request_id: str, token: str = INTERNAL_TOKEN) -> TestResponse:
    return client.post(
        "/internal/one-time-links",
        json={"request_id": request_id},
        headers={"Authorization": f"Bearer {token}"},
    )


def token_for(database: Database, person: Person, event: str) -> str:
    """The secret in the newest link, as it would be in the mail."""
    answer = ask_for_link(person.client, requested(database, person, event)[-1])
    assert answer.status_code == 200, answer.text
    return str(answer.json["url"].partition("#token=")[2])


def forget(person: Person, email: str | None = None, **headers: str) -> TestResponse:
    answer = person.client.post(
        "/api/auth/password/forgot", json={"email": email or person.email}, headers=headers
    )
    answer_forgotten(uow=person.client.application.extensions["identity"].unit_of_work())
    return answer


def reset(person: Person, token: str, password: str = BETTER) -> TestResponse:
    body = {"token": token, "password": password, "password_confirm": password}
    return person.client.post("/api/auth/password/reset", json=body)


def verify(person: Person, token: str, **headers: str) -> TestResponse:
    return person.client.post("/api/auth/email/verify", json={"token": token}, headers=headers)


def is_verified(person: Person) -> bool:
    return bool(person.call("GET", "/api/auth/me").json["email_verified"])


def test_whoever_has_the_link_proves_the_address(ada: Person, database: Database):
    assert not is_verified(ada)

    assert verify(ada, token_for(database, ada, VERIFIED)).status_code == 204

    assert is_verified(ada)
    assert "email_verified" in database.audit(ada.id)


def test_a_verified_address_needs_no_other_link(ada: Person, database: Database):
    verify(ada, token_for(database, ada, VERIFIED))

    assert ada.call("POST", "/api/auth/email/resend").status_code == 202

    assert len(requested(database, ada, VERIFIED)) == 1


def test_s09_a_new_request_kills_the_old_link(ada: Person, database: Database):
    first = token_for(database, ada, VERIFIED)

    assert ada.call("POST", "/api/auth/email/resend").status_code == 202

    assert verify(ada, first).status_code == 422
    assert ask_for_link(ada.client, requested(database, ada, VERIFIED)[0]).status_code == 410
    assert verify(ada, token_for(database, ada, VERIFIED)).status_code == 204


def test_s09_a_link_works_once(ada: Person, database: Database):
    forget(ada)
    token = token_for(database, ada, RESET)

    assert reset(ada, token).status_code == 204

    refused = reset(ada, token, "a third horse of course")
    assert (refused.status_code, refused.json["code"]) == (422, "invalid_token")
    assert "token" in refused.json["errors"]


def test_s09_of_many_who_use_one_link_at_once_one_gets_in(
    ada: Person, database: Database, app: Flask
):
    forget(ada)
    token = token_for(database, ada, RESET)
    people = [Person(app.test_client(), ada.email, ada.id) for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda person: reset(person, token).status_code, people))

    assert sorted(answers) == [204] + [422] * 7


def test_s09_one_persons_link_is_not_anothers(ada: Person, zoe: Person, database: Database):
    token = token_for(database, ada, VERIFIED)

    assert verify(zoe, token, **zoe.headers).status_code == 422
    assert not is_verified(ada)
    assert verify(ada, token, **ada.headers).status_code == 204


def test_s09_a_link_for_one_purpose_does_not_serve_another(ada: Person, database: Database):
    forget(ada)

    assert reset(ada, token_for(database, ada, VERIFIED)).status_code == 422
    assert verify(ada, token_for(database, ada, RESET)).status_code == 422


def test_s09_a_link_lasts_an_hour(ada: Person, database: Database):
    forget(ada)
    token = token_for(database, ada, RESET)
    age = "UPDATE one_time_requests SET issued_at = issued_at - interval '61 min' WHERE user_id=:id"
    database.change(age, id=ada.id)

    assert reset(ada, token).status_code == 422
    assert ada.log_in().status_code == 200


def test_a_request_is_answered_for_a_day(ada: Person, database: Database):
    forget(ada)
    age = "UPDATE one_time_requests SET requested_at = requested_at - interval '25 h'"
    database.change(f"{age} WHERE user_id = :id", id=ada.id)

    assert ask_for_link(ada.client, requested(database, ada, RESET)[-1]).status_code == 410


def test_s09_another_password_ends_a_link_for_the_old_one(ada: Person, database: Database):
    forget(ada)
    token = token_for(database, ada, RESET)
    body = {"current_password": PASSWORD, "password": BETTER, "password_confirm": BETTER}
    assert ada.call("POST", "/api/auth/password/change", body).status_code == 204

    assert reset(ada, token, "a third horse of course").status_code == 422
    assert ada.log_in(BETTER).status_code == 200


def test_s09_only_the_digest_of_a_link_is_kept(ada: Person, database: Database):
    forget(ada)
    token = token_for(database, ada, RESET)

    assert len(token) >= 43  # 256 bits
    for table in ("one_time_requests", "event_log", "outbox_pending", "audit_log"):
        for row in database.rows(f"SELECT t::text AS words FROM {table} t"):
            assert token not in row.words
    encoded = token.encode().hex()
    assert not database.rows(
        "SELECT 1 FROM event_log WHERE encode(envelope, 'hex') LIKE :it", it=f"%{encoded}%"
    )


def test_a_reset_ends_every_sign_in_and_proves_the_address(ada: Person, database: Database):
    refresh_token = ada.tokens()["refresh_token"]
    forget(ada)

    assert reset(ada, token_for(database, ada, RESET)).status_code == 204

    body = {"refresh_token": refresh_token}
    assert ada.client.post("/api/auth/refresh", json=body).status_code == 401
    assert ada.log_in(PASSWORD).status_code == 401
    ada.password = BETTER
    ada.tokens()
    assert is_verified(ada)
    assert "password_reset" in database.audit(ada.id)


def test_a_weak_password_does_not_use_the_link_up(ada: Person, database: Database):
    forget(ada)
    token = token_for(database, ada, RESET)

    weak = reset(ada, token, "password")

    assert (weak.status_code, weak.json["code"]) == (422, "weak_password")
    assert reset(ada, token).status_code == 204


def test_s03_a_reset_compares_the_password_with_the_persons_own_data(
    ada: Person, database: Database
):
    forget(ada)

    refused = reset(ada, token_for(database, ada, RESET), ada.email.partition("@")[0])

    assert refused.json["errors"]["password"] == ["Too similar to your name or email address."]


def test_s07_who_forgets_hears_the_same_whether_there_is_an_account_or_not(
    ada: Person, database: Database
):
    before = database.rows("SELECT count(*) AS n FROM audit_log")[0].n
    known, unknown, odd = forget(ada), forget(ada, an_email()), forget(ada, "no address")

    assert {answer.status_code for answer in (known, unknown, odd)} == {202}
    assert len({answer.data for answer in (known, unknown, odd)}) == 1
    assert len({tuple(sorted(dict(answer.headers))) for answer in (known, unknown, odd)}) == 1
    assert database.rows("SELECT count(*) AS n FROM audit_log")[0].n == before + 3


def test_s07_whether_there_is_an_account_is_looked_up_after_the_answer(
    ada: Person, deps: Dependencies, database: Database
):
    statements: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(deps.engine, "before_cursor_execute", note)
    seen = []
    for email in (ada.email, an_email()):
        del statements[:]
        ada.client.post("/api/auth/password/forgot", json={"email": email})
        seen.append(list(statements))
    event.remove(deps.engine, "before_cursor_execute", note)

    assert seen[0] == seen[1]
    assert requested(database, ada, RESET) == []
    assert answer_forgotten(uow=deps.unit_of_work()) >= 2
    assert len(requested(database, ada, RESET)) == 1
    assert not database.rows("SELECT FROM forgotten_passwords")


def test_nobody_hears_of_who_closes_the_account_that_a_link_is_asked_for(
    ada: Person, held: Held, deps: Dependencies, database: Database
):
    ada.client.post("/api/auth/password/forgot", json={"email": ada.email})

    with ThreadPoolExecutor(2) as threads:
        closing = threads.submit(close, ada, deps, held.uow)
        held.reached.wait(20)
        answered = threads.submit(answer_forgotten, uow=deps.unit_of_work())
        wait_until(lambda: answered.done() or database.somebody_waits())
        held.let_go.set()
        closing.result()

    assert answered.result() == 1
    assert requested(database, ada, RESET) == []
    assert not database.rows("SELECT FROM one_time_requests WHERE user_id = :id", id=ada.id)


def test_a_disabled_account_gets_no_link(ada: Person, database: Database):
    forget(ada)
    database.change("UPDATE users SET is_active = false WHERE id = :id", id=ada.id)

    assert ask_for_link(ada.client, requested(database, ada, RESET)[-1]).status_code == 410
    assert forget(ada).status_code == 202
    assert len(requested(database, ada, RESET)) == 1


def test_s05_mail_goes_to_the_stored_address_alone(ada: Person, database: Database):
    assert forget(ada, ada.email.upper()).status_code == 202

    [told] = database.rows(
        "SELECT convert_from(envelope, 'UTF8')::jsonb -> 'data' AS data FROM event_log"
        " WHERE type = 'oja.identity.password_reset_requested.v1' AND subject = :id",
        id=ada.id,
    )
    assert told.data["email"] == ada.email


def test_s10_links_lead_to_the_shop_whatever_host_is_asked_for(ada: Person, database: Database):
    forget(ada, Host="evil.test", X_Forwarded_Host="evil.test")
    answer = ask_for_link(ada.client, requested(database, ada, RESET)[-1])

    assert answer.json["url"].startswith(f"{SHOP}/account/reset-password#token=")


@pytest.mark.parametrize("token", ["", "wrong", INTERNAL_TOKEN[:-1], "ö"])
def test_only_notifier_gets_links(ada: Person, database: Database, token: str):
    request_id = requested(database, ada, VERIFIED)[-1]

    assert ask_for_link(ada.client, request_id, token).status_code == 401
    without = ada.client.post("/internal/one-time-links", json={"request_id": request_id})
    assert without.status_code == 401


@pytest.mark.parametrize("token", ["", None, ["x"], 7])
def test_s18_odd_tokens_are_refused(ada: Person, token: object):
    assert ada.client.post("/api/auth/email/verify", json={"token": token}).status_code == 422


def test_a_used_refresh_token_that_comes_back_is_told_to_its_owner(ada: Person, database: Database):
    token = ada.tokens()["refresh_token"]
    for _ in range(3):
        ada.client.post("/api/auth/refresh", json={"refresh_token": token})

    told = database.rows(
        "SELECT 1 FROM event_log WHERE subject = :id"
        " AND type = 'oja.identity.refresh_token_reused.v1'",
        id=ada.id,
    )
    assert len(told) == 1
