"""People who close their account while something of theirs is being written, claimed or copied."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from notifier.domain.letter import Template
from notifier.use_cases import event_handlers
from notifier.use_cases.errors import StillOnItsWay
from tests.integration.notifier.notifying import Notifier
from tests.integration.notifier.test_erasing import EDITOR, closed, kept, left_the_staff, settle
from tests.support import notifier as news
from tests.support.waiting import wait_until


@pytest.fixture
def meanwhile() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as thread:
        yield thread


def waits_for_a_lock(notifier: Notifier, other: "Future[Any]") -> bool:
    """Once it is done or waits for somebody."""

    def waiting() -> list[Any]:
        return notifier.rows(
            "SELECT FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )

    wait_until(lambda: other.done() or waiting())
    return not other.done()


def test_a_mail_that_is_being_claimed_is_waited_for(
    notifier: Notifier, meanwhile: ThreadPoolExecutor
) -> None:
    ada = news.order_shipped()
    notifier.hears(ada)

    def erase() -> None:
        with notifier.deps.unit_of_work(handling=news.envelope_of(closed(ada.customer_id))) as uow:
            uow.erasures.erase(ada.customer_id)
            uow.commit()

    with notifier.deps.unit_of_work() as sender:
        assert sender.mails.claim(1) is not None
        erasing = meanwhile.submit(erase)
        assert waits_for_a_lock(notifier, erasing)
        sender.commit()
        with pytest.raises(StillOnItsWay):
            erasing.result(10)

    assert kept(notifier) == [("order_shipped", ada.contact.email)]


def test_a_mail_to_a_member_that_is_being_claimed_is_waited_for(
    notifier: Notifier, meanwhile: ThreadPoolExecutor
) -> None:
    sade = news.staff_changed()
    notifier.hears(sade)
    notifier.hears(news.refund_failed())
    notifier.rows("DELETE FROM mails WHERE recipient_id IS NULL")

    def erase() -> None:
        with notifier.deps.unit_of_work() as uow:
            uow.erasures.erase_member(sade.user_id)
            uow.commit()

    with notifier.deps.unit_of_work() as sender:
        assert sender.mails.claim(1) is not None
        erasing = meanwhile.submit(erase)
        assert waits_for_a_lock(notifier, erasing)
        sender.commit()
        with pytest.raises(StillOnItsWay):
            erasing.result(10)

    assert kept(notifier) == [("refund_failed", sade.email)]


@pytest.mark.parametrize("to_staff", [False, True], ids=["customer", "member"])
def test_a_copy_that_is_made_meanwhile_does_not_stay(
    notifier: Notifier, meanwhile: ThreadPoolExecutor, to_staff: bool
) -> None:
    leaving: Any = news.staff_changed() if to_staff else news.order_shipped()
    notifier.hears(leaving)
    if to_staff:
        notifier.hears(news.refund_failed())
        notifier.rows("DELETE FROM mails WHERE recipient_id IS NULL")
    settle(notifier)
    (mail,) = notifier.rows("SELECT id FROM mails")
    gone = left_the_staff(leaving.user_id) if to_staff else closed(leaving.customer_id)

    with notifier.deps.unit_of_work() as copying:
        copying.mails.copy(mail.id, by=EDITOR)
        erasing = meanwhile.submit(notifier.hears, gone)
        assert waits_for_a_lock(notifier, erasing)
        copying.commit()
        erasing.result(10)

    rows = notifier.rows("SELECT recipient, status FROM mails ORDER BY id")
    assert len(rows) == 2
    assert all(row.recipient.endswith("@erased.invalid") for row in rows)
    assert rows[1].status == "failed"


@pytest.mark.parametrize("about_money", [False, True], ids=["order", "money"])
def test_news_that_is_being_written_is_waited_for(
    notifier: Notifier, meanwhile: ThreadPoolExecutor, about_money: bool
) -> None:
    ada = news.order_placed()
    notifier.hears(ada)
    whose = {"order_id": ada.order_id, "contact": ada.contact}
    late: Any = (
        news.payment_refunded(**whose)
        if about_money
        else news.order_shipped(customer_id=ada.customer_id, **whose)
    )
    template = Template.REFUND_DONE if about_money else Template.ORDER_SHIPPED

    with notifier.deps.unit_of_work(handling=news.envelope_of(late)) as writing:
        writing.mails.write(event_handlers._to_customer(template, late))
        erasing = meanwhile.submit(notifier.hears, closed(ada.customer_id))
        assert waits_for_a_lock(notifier, erasing)
        writing.commit()
        erasing.result(10)

    assert kept(notifier) == []
    assert ada.contact.email not in str(notifier.rows("SELECT * FROM mails"))


def test_news_waits_for_an_erasure_that_is_under_way(
    notifier: Notifier, meanwhile: ThreadPoolExecutor
) -> None:
    ada = news.order_placed()
    notifier.hears(ada)
    late = news.order_shipped(customer_id=ada.customer_id, contact=ada.contact)

    with notifier.deps.unit_of_work(handling=news.envelope_of(closed(ada.customer_id))) as uow:
        uow.erasures.erase(ada.customer_id)
        writing = meanwhile.submit(notifier.hears, late)
        assert waits_for_a_lock(notifier, writing)
        uow.commit()
        writing.result(10)

    assert kept(notifier) == []
    assert ada.contact.email not in str(notifier.rows("SELECT * FROM mails"))
