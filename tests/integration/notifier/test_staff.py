"""Who on the staff hears of what, with the real database."""

from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from notifier.bootstrap import Dependencies
from notifier.entrypoints.consumer import message_handler
from notifier.entrypoints.http.app import create_app
from notifier.use_cases.alerting import write_digests
from oja_events.envelope import encode
from oja_events.handling import Verdict
from oja_web.testing import bearer, make_token, problem
from tests.integration.notifier.mail_server import MailServer
from tests.integration.notifier.notifying import KEYS, Notifier
from tests.support import notifier as news
from tests.support.notifier import envelope_of
from tests.support.waiting import wait_until

PREFERENCES = "/api/admin/alerts/preferences"


@pytest.fixture
def client(notifier: Notifier) -> FlaskClient:
    return create_app(notifier.deps.settings, notifier.deps).test_client()


def as_member(user_id: UUID, *permissions: str) -> dict[str, str]:
    given = list(permissions) or ["alerts:read", "inventory:read"]
    return bearer(make_token(KEYS.private_pem, sub=str(user_id), permissions=given))


def mute(client: FlaskClient, headers: dict[str, str], *names: str) -> Any:
    etag = client.get(PREFERENCES, headers=headers).headers["ETag"]
    body = {"muted": list(names)}
    return client.put(PREFERENCES, json=body, headers={**headers, "If-Match": etag})


def mailed(deps: Dependencies, notifier: Notifier) -> list[str]:
    """Who is written to of something that runs low now."""
    notifier.hears(news.stock_low())
    write_digests(deps.unit_of_work())
    rows = notifier.rows("DELETE FROM mails RETURNING recipient")
    return sorted(row.recipient for row in rows if row.recipient != news.STAFF)


def test_members_who_may_know_get_a_mail_each_under_names_of_their_own(
    notifier: Notifier, mail_server: MailServer
) -> None:
    sade, tunde = news.staff_changed(), news.staff_changed()
    other = news.staff_changed(permissions=("alerts:read", "orders:read"))
    for member in (sade, tunde, other):
        notifier.hears(member)
    for sku in ("ADIRE-M", "GELE-1"):
        notifier.hears(news.stock_low(sku=sku))
    write_digests(notifier.deps.unit_of_work())

    with notifier.sending():
        mails = [mail_server.waits_for(each.email)[0].message for each in (sade, tunde)]
        wait_until(lambda: not notifier.rows("SELECT FROM mails WHERE status <> 'sent'"))

    assert len({str(mail["Message-ID"]) for mail in mails}) == 2
    assert {str(mail["Subject"]) for mail in mails} == {"Low stock: 2 items"}
    assert len(mail_server.inbox) == 3, "the third is to STAFF_MAIL"
    assert mail_server.copies(other.email) == []


@pytest.mark.parametrize(
    "change",
    [{"permissions": ("alerts:read",)}, {"permissions": ()}, {"is_active": False}],
    ids=["permission taken", "no longer on the staff", "disabled"],
)
def test_who_may_not_know_any_more_gets_no_more_mails(
    notifier: Notifier, change: dict[str, Any]
) -> None:
    sade = news.staff_changed()
    notifier.hears(sade)
    before = mailed(notifier.deps, notifier)

    notifier.hears(news.staff_changed(user_id=sade.user_id, version=2, **change))
    notifier.hears(sade)

    assert (before, mailed(notifier.deps, notifier)) == ([sade.email], [])


def test_what_has_not_left_yet_is_kept_from_somebody_who_may_not_know_it_any_more(
    notifier: Notifier, mail_server: MailServer
) -> None:
    sade, tunde = news.staff_changed(), news.staff_changed()
    for event in (sade, tunde, news.stock_low(), news.refund_failed()):
        notifier.hears(event)
    write_digests(notifier.deps.unit_of_work())

    notifier.hears(
        news.staff_changed(
            user_id=sade.user_id, version=2, permissions=("alerts:read", "inventory:read")
        )
    )
    with notifier.sending():
        mail_server.waits_for(news.STAFF, 2)
        mail_server.waits_for(tunde.email, 2)
        wait_until(lambda: not notifier.rows("SELECT FROM mails WHERE status = 'pending'"))

    (told,) = mail_server.copies(sade.email)
    assert told.message["Subject"] == "Low stock: ADIRE-M, 3 left"
    (kept,) = notifier.rows("SELECT * FROM mails WHERE status = 'failed'")
    assert (kept.template, kept.recipient_id) == ("refund_failed", sade.user_id)


def test_what_comes_back_from_a_sender_is_kept_from_them_too(
    notifier: Notifier, mail_server: MailServer
) -> None:
    sade = news.staff_changed()
    notifier.hears(sade)
    notifier.hears(news.refund_failed())
    notifier.rows("DELETE FROM mails WHERE recipient_id IS NULL")
    changed = news.staff_changed(user_id=sade.user_id, version=2, permissions=("alerts:read",))

    with notifier.deps.shift() as shift, notifier.deps.unit_of_work() as uow:
        mail = uow.mails.claim(shift.number)
        uow.commit()
        while_claimed = message_handler(notifier.deps).handle(encode(envelope_of(changed)), {})
        mail.postponed("450 later", now=news.AFTERNOON)
        with shift.unit_of_work() as back:
            back.mails.conclude(mail)
            back.commit()
    notifier.hears(changed)
    with notifier.sending():
        mail_server.waits_for(_another_mail(notifier))

    assert while_claimed.verdict is Verdict.LATER
    assert notifier.mail(sade.email).status == "failed"
    assert mail_server.copies(sade.email) == []


def _another_mail(notifier: Notifier) -> str:
    event = news.order_shipped()
    notifier.hears(event)
    return event.contact.email


def test_an_address_that_hears_of_everything_gets_nothing_twice(notifier: Notifier) -> None:
    notifier.hears(news.staff_changed(email=news.STAFF.upper()))
    notifier.hears(news.stock_low())

    write_digests(notifier.deps.unit_of_work())

    assert len(notifier.rows("SELECT FROM mails")) == 1


def test_an_address_that_is_none_any_more_silences_nobody_else(notifier: Notifier) -> None:
    notifier.hears(news.staff_changed())
    notifier.rows("UPDATE staff SET email = 'sade..bello@oja.example'")

    notifier.hears(news.refund_failed())

    assert [row.recipient for row in notifier.rows("SELECT * FROM mails")] == [news.STAFF]


def test_somebody_who_closed_the_account_is_forgotten_and_what_they_were_told_is_not(
    notifier: Notifier, client: FlaskClient
) -> None:
    sade = news.staff_changed()
    notifier.hears(sade)
    mute(client, as_member(sade.user_id), "payment_alert")
    notifier.hears(news.refund_failed())
    nobody = f"erased-{sade.user_id}@erased.invalid"

    notifier.hears(
        news.staff_changed(
            user_id=sade.user_id, version=2, email=nobody, is_active=False, permissions=()
        )
    )

    (mail,) = notifier.rows("SELECT * FROM mails WHERE recipient_id = :id", id=sade.user_id)
    (member,) = notifier.rows("SELECT * FROM staff")
    assert mail.recipient == f"erased-{mail.id}@erased.invalid"
    assert (mail.recipient_name, mail.status, mail.next_attempt_at) == ("", "failed", None)
    assert "refund" in mail.text
    assert (member.email, member.name, member.permissions) == (None, None, [])
    assert notifier.rows("SELECT FROM alert_wishes") == []


def test_a_member_says_what_they_do_not_want(client: FlaskClient, notifier: Notifier) -> None:
    sade = news.staff_changed()
    notifier.hears(sade)
    headers = as_member(sade.user_id)

    before = client.get(PREFERENCES, headers=headers).json
    after = mute(client, headers, "low_stock")
    muted = mailed(notifier.deps, notifier)
    mute(client, headers)

    assert before == {"muted": [], "mailed": ["low_stock", "message_parked"]}
    assert (after.status_code, after.json) == (
        200,
        {"muted": ["low_stock"], "mailed": ["message_parked"]},
    )
    assert (muted, mailed(notifier.deps, notifier)) == ([], [sade.email])


def test_wishes_are_changed_only_as_they_were_read(client: FlaskClient) -> None:
    headers = as_member(news.staff_changed().user_id)
    seen = client.get(PREFERENCES, headers=headers).headers["ETag"]
    mute(client, headers, "low_stock")

    stale = client.put(PREFERENCES, json={"muted": []}, headers={**headers, "If-Match": seen})
    blind = client.put(PREFERENCES, json={"muted": []}, headers=headers)

    problem(stale, 412, "precondition_failed")
    problem(blind, 428, "precondition_required")
    assert client.get(PREFERENCES, headers=headers).json["muted"] == ["low_stock"]


def test_wishes_are_about_mails_to_staff(client: FlaskClient) -> None:
    answer = mute(client, as_member(news.staff_changed().user_id), "welcome")

    assert "muted" in str(problem(answer, 422, "invalid")["errors"])
