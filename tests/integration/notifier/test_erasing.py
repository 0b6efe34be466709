"""What is left of a customer who closed their account."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from notifier.domain.letter import Recipient, Template
from notifier.use_cases import templates
from oja_events.contracts import Contact
from oja_events.contracts.notifier import CustomerMailsErased
from oja_events.contracts.ordering import CustomerOrdersErased
from tests.integration.notifier.notifying import Notifier
from tests.support import notifier as news

EDITOR = "sade@oja.example"


def closed(customer_id: UUID) -> CustomerOrdersErased:
    fields: dict[str, Any] = {"customer_id": customer_id, "erased_at": datetime.now(UTC)}
    return CustomerOrdersErased(**fields | {"orders": 1})


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
