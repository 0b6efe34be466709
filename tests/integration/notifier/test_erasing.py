"""What is left of a customer, or of a member of the staff, who closed their account."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from notifier.adapters import erasing
from notifier.domain.letter import Recipient, Template
from notifier.entrypoints.consumer import message_handler
from notifier.entrypoints.http.app import create_app
from notifier.use_cases import commands, templates
from notifier.use_cases.errors import MailErased, OrderNotKnown
from oja_events.contracts import Contact, Event
from oja_events.contracts.notifier import CustomerMailsErased
from oja_events.contracts.ordering import CustomerOrdersErased
from oja_events.envelope import encode
from oja_events.handling import Verdict
from oja_web.testing import bearer, make_token, problem
from tests.integration.notifier.mail_server import MailServer
from tests.integration.notifier.notifying import KEYS, Notifier
from tests.support import notifier as news
from tests.support.waiting import wait_until

EDITOR = "sade@oja.example"


def closed(customer_id: UUID) -> CustomerOrdersErased:
    fields: dict[str, Any] = {"customer_id": customer_id, "erased_at": datetime.now(UTC)}
    return CustomerOrdersErased(**fields | {"orders": 1})


def left_the_staff(user_id: UUID) -> Event:
    nobody = f"erased-{user_id}@erased.invalid"
    return news.staff_changed(
        user_id=user_id, version=2, email=nobody, is_active=False, permissions=()
    )


def a_test_about(order_id: UUID, notifier: Notifier) -> UUID:
    return templates.send_test(
        Template.ORDER_SHIPPED,
        to=Recipient(EDITOR, "Sade"),
        draft=None,
        order_id=order_id,
        drafting=notifier.deps.drafting,
        queries=notifier.deps.queries,
        uow=notifier.deps.unit_of_work(),
    )


def settle(notifier: Notifier) -> None:
    """As if every mail had been sent."""
    notifier.rows(
        "UPDATE mails SET status = 'sent', next_attempt_at = NULL, sent_at = now(), attempts = 1"
    )


def resend(mail_id: UUID, notifier: Notifier) -> UUID:
    return commands.resend_mail(mail_id, by=EDITOR, uow=notifier.deps.unit_of_work())


def kept(notifier: Notifier) -> list[tuple[str, str]]:
    """Template and recipient of the mails that have their words."""
    rows = notifier.rows(
        "SELECT template, recipient FROM mails WHERE subject <> 'Erased' ORDER BY id"
    )
    return [(row.template, row.recipient) for row in rows]


def test_no_mail_knows_them_any_more_and_others_keep_theirs(notifier: Notifier) -> None:
    leaving, staying = news.order_shipped(), news.order_shipped()
    for order in (leaving, staying):
        notifier.hears(order)

    notifier.hears(closed(leaving.customer_id))

    (kept,) = notifier.rows("SELECT * FROM mails WHERE subject <> 'Erased'")
    (erased,) = notifier.rows("SELECT * FROM mails WHERE subject = 'Erased'")
    assert kept.recipient == staying.contact.email
    assert leaving.contact.email not in str(erased)
    assert (erased.text, erased.status, erased.next_attempt_at) == ("", "failed", None)
    (receipt,) = notifier.published(CustomerMailsErased.TYPE)
    assert receipt.data["mails"] == 1


def test_tests_that_show_their_order_go_too_and_mails_of_the_editor_stay(
    notifier: Notifier,
) -> None:
    leaving = news.order_shipped()
    own = news.order_shipped(contact=Contact(email=EDITOR, name="Sade"))
    for order in (leaving, own):
        notifier.hears(order)
    about_them = a_test_about(leaving.order_id, notifier)
    about_own = a_test_about(own.order_id, notifier)

    notifier.hears(closed(leaving.customer_id))

    erased = notifier.rows("SELECT id, order_id FROM mails WHERE subject = 'Erased'")
    assert {row.order_id for row in erased} == {leaving.order_id}
    assert about_them in {row.id for row in erased}
    kept = notifier.rows("SELECT id FROM mails WHERE recipient = :sade", sade=EDITOR)
    assert about_own in {row.id for row in kept}
    assert len(kept) == 2


def test_a_test_that_was_sent_once_more_costs_the_editor_no_mail_of_their_own(
    notifier: Notifier,
) -> None:
    leaving = news.order_shipped()
    own = news.order_shipped(contact=Contact(email=EDITOR, name="Sade"))
    for order in (leaving, own):
        notifier.hears(order)
    test_id = a_test_about(leaving.order_id, notifier)
    settle(notifier)
    resend(test_id, notifier)

    notifier.hears(closed(leaving.customer_id))

    assert kept(notifier) == [("order_shipped", EDITOR)]


def test_who_wanted_somebodys_address_takes_nothing_of_theirs_along(notifier: Notifier) -> None:
    victim = news.customer_registered()
    order = news.order_shipped(customer_id=victim.customer_id)
    reset = news.password_reset_requested(user_id=victim.customer_id, email=victim.email)
    wanted = news.email_change_requested(email=victim.email)
    for event in (victim, order, reset, wanted):
        notifier.hears(event)

    notifier.hears(closed(wanted.user_id))

    assert [template for template, _ in kept(notifier)] == [
        "welcome",
        "order_shipped",
        "reset_password",
    ]
    pending = notifier.rows("SELECT FROM mails WHERE status = 'pending'")
    assert len(pending) == 3


def test_a_new_account_with_the_same_address_keeps_its_mails(notifier: Notifier) -> None:
    contact = Contact(email=news.an_address(), name="Ada Obi")
    before, after = uuid4(), news.customer_registered(email=contact.email)
    notifier.hears(news.order_shipped(customer_id=before, contact=contact))
    notifier.hears(after)
    bought = news.order_shipped(customer_id=after.customer_id, contact=contact)
    notifier.hears(bought)
    notifier.hears(news.payment_refunded(order_id=bought.order_id, contact=contact))

    notifier.hears(closed(before))

    assert [template for template, _ in kept(notifier)] == [
        "welcome",
        "order_shipped",
        "refund_done",
    ]


def test_news_of_the_account_and_of_money_are_theirs_too(notifier: Notifier) -> None:
    ada = news.customer_registered()
    order = news.order_shipped(customer_id=ada.customer_id)
    for event in (
        ada,
        news.email_verification_requested(user_id=ada.customer_id),
        news.email_changed(user_id=ada.customer_id),
        order,
        news.payment_confirmed(order_id=order.order_id),
        news.payment_refunded(order_id=order.order_id),
    ):
        notifier.hears(event)

    notifier.hears(closed(ada.customer_id))

    assert kept(notifier) == []


@pytest.mark.parametrize(
    "late",
    [
        lambda order: news.order_completed(
            customer_id=order.customer_id, order_id=order.order_id, contact=order.contact
        ),
        lambda order: news.order_shipped(customer_id=order.customer_id, contact=order.contact),
        lambda order: news.password_changed(user_id=order.customer_id, email=order.contact.email),
        lambda order: news.payment_refunded(order_id=order.order_id, contact=order.contact),
    ],
    ids=["their order", "another order", "their account", "their money"],
)
def test_late_news_is_noted_without_words_or_address(notifier: Notifier, late: Any) -> None:
    ada = news.order_shipped()
    notifier.hears(ada)
    notifier.hears(closed(ada.customer_id))

    notifier.hears(late(ada))

    rows = notifier.rows("SELECT * FROM mails ORDER BY id")
    assert ada.contact.email not in str(rows)
    assert [(row.subject, row.status) for row in rows] == [("Erased", "failed")] * 2
    assert rows[1].next_attempt_at is None


def test_late_news_of_an_order_takes_along_what_came_of_its_money(notifier: Notifier) -> None:
    ada = uuid4()
    notifier.hears(closed(ada))
    contact = Contact(email=news.an_address(), name="Ada Obi")
    paid = news.payment_confirmed(contact=contact)
    notifier.hears(paid)

    notifier.hears(news.order_placed(customer_id=ada, order_id=paid.order_id, contact=contact))

    assert contact.email not in str(notifier.rows("SELECT * FROM mails"))


def test_late_news_waits_while_a_mail_of_theirs_is_on_its_way(notifier: Notifier) -> None:
    ada = uuid4()
    notifier.hears(closed(ada))
    paid = news.payment_confirmed()
    notifier.hears(paid)
    notifier.rows("UPDATE mails SET claimed_by = 1, claimed_at = now()")
    late = news.envelope_of(news.order_placed(customer_id=ada, order_id=paid.order_id))

    result = message_handler(notifier.deps).handle(encode(late), {})

    assert result.verdict is Verdict.LATER
    assert len(notifier.rows("SELECT FROM mails")) == 1


@pytest.fixture
def client(notifier: Notifier) -> FlaskClient:
    return create_app(notifier.deps.settings, notifier.deps).test_client()


def as_member(user_id: UUID) -> dict[str, str]:
    permissions = ["notifications:read", "notifications:write", "alerts:read", "templates:write"]
    return bearer(
        make_token(KEYS.private_pem, sub=str(user_id), email=EDITOR, permissions=permissions)
    )


def test_an_erased_mail_is_not_sent_again(client: FlaskClient, notifier: Notifier) -> None:
    ada = news.order_shipped()
    notifier.hears(ada)
    notifier.hears(closed(ada.customer_id))
    (mail,) = notifier.rows("SELECT id FROM mails")

    answer = client.post(f"/api/admin/notifications/{mail.id}/resend", headers=as_member(uuid4()))

    problem(answer, 409, "mail_erased")
    assert len(notifier.rows("SELECT FROM mails")) == 1


def test_an_erased_mail_with_a_link_is_not_sent_again(notifier: Notifier) -> None:
    asked = news.password_reset_requested()
    notifier.hears(asked)
    notifier.hears(closed(asked.user_id))
    (mail,) = notifier.rows("SELECT id FROM mails")

    with pytest.raises(MailErased):
        resend(mail.id, notifier)


def test_a_mail_that_named_a_member_who_left_is_not_sent_again(notifier: Notifier) -> None:
    sade = news.staff_changed()
    notifier.hears(sade)
    notifier.hears(news.refund_failed())
    notifier.hears(left_the_staff(sade.user_id))
    (mail,) = notifier.rows("SELECT id FROM mails WHERE recipient_id IS NOT NULL")

    with pytest.raises(MailErased):
        resend(mail.id, notifier)


def test_a_test_about_an_order_of_somebody_who_left_is_refused(notifier: Notifier) -> None:
    ada = news.order_shipped()
    notifier.hears(ada)
    notifier.hears(closed(ada.customer_id))

    with pytest.raises(OrderNotKnown):
        a_test_about(ada.order_id, notifier)


def test_mails_to_staff_do_not_name_them(notifier: Notifier, mail_server: MailServer) -> None:
    failing = news.order_shipped()
    address = failing.contact.email
    mail_server.answers["RCPT"] = [f"550 5.1.1 <{address.upper()}>: no such mailbox"]
    notifier.hears(failing)
    with notifier.sending():
        notifier.settles(address, "failed")
        wait_until(lambda: notifier.rows("SELECT FROM mails WHERE template = 'mail_failing'"))
    notifier.hears(news.refund_failed(order_id=failing.order_id, contact=failing.contact))

    notifier.hears(closed(failing.customer_id))

    told = notifier.rows("SELECT * FROM mails WHERE recipient = :staff", staff=news.STAFF)
    assert sorted(mail.template for mail in told) == ["mail_failing", "refund_failed"]
    words = str(told + notifier.rows("SELECT * FROM alerts")).lower()
    assert address not in words


def test_a_mail_to_staff_that_named_them_loses_its_words(notifier: Notifier) -> None:
    """As it was written by an earlier release."""
    ada = news.order_shipped()
    notifier.hears(ada)
    notifier.hears(news.refund_failed(order_id=ada.order_id))
    notifier.rows(
        "UPDATE mails SET text = 'ada@example.com', facts = facts || '{\"contact\": {}}'"
        " WHERE template = 'refund_failed'"
    )

    notifier.hears(closed(ada.customer_id))

    assert kept(notifier) == []


def test_nothing_names_a_member_who_left_for_what_they_did(
    client: FlaskClient, notifier: Notifier
) -> None:
    sade, tunde = uuid4(), uuid4()
    shipped = news.order_shipped()
    for event in (shipped, news.stock_low(), news.stock_low()):
        notifier.hears(event)
    settle(notifier)
    (mail,) = notifier.rows("SELECT id FROM mails")
    alerts = notifier.rows("SELECT id FROM alerts ORDER BY id")
    for member, alert in zip((sade, tunde), alerts, strict=True):
        headers = as_member(member)
        path = "/api/admin/email-templates/welcome"
        seen = client.get(path, headers=headers)
        source = {name: seen.json[name] for name in ("text", "html")}
        for answer in (
            client.post(f"/api/admin/notifications/{mail.id}/resend", headers=headers),
            client.post(f"{path}/test", json={}, headers=headers),
            client.post(f"/api/admin/alerts/{alert.id}/acknowledge", headers=headers),
            client.put(
                path,
                json={**source, "subject": f"Hello {member}"},
                headers={**headers, "If-Match": seen.headers["ETag"]},
            ),
        ):
            assert answer.status_code < 300, answer.text

    notifier.hears(left_the_staff(sade))

    def done_by(table: str, column: str) -> list[str]:
        rows = notifier.rows(f"SELECT {column} AS who FROM {table} WHERE {column} IS NOT NULL")
        return sorted(row.who for row in rows)

    nobody = f"erased-{sade}"
    assert done_by("mails", "requested_by") == [nobody, nobody, EDITOR, EDITOR]
    assert done_by("alerts", "acknowledged_by") == [nobody, EDITOR]
    assert done_by("template_versions", "edited_by") == [nobody, EDITOR]


def test_looking_for_theirs_reads_no_table_from_end_to_end(notifier: Notifier) -> None:
    plans = [
        row[0]
        for statement, values in (
            (erasing._THEIR_ORDERS, {"customer_id": str(uuid4())}),
            (
                erasing._THEIRS,
                {"customer_id": str(uuid4()), "orders": [uuid4()], "to_staff": ["books"]},
            ),
            (erasing._MEMBERS, {"user_id": uuid4()}),
            (erasing._MASK_ALERTS, {"mails": [str(uuid4())]}),
            *((each, {"user_id": uuid4()}) for each in erasing._FORGET_WHO_DID_IT),
        )
        for row in notifier.rows(f"EXPLAIN {statement.text}", **values)
    ]

    assert [line for line in plans if "Seq Scan" in line] == []
