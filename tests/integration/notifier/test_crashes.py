"""The worker's process is killed around sending: no mail is lost, and copies are rare and alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import text

from notifier.adapters.repositories import _ORPHANS
from notifier.use_cases.sending import adopt_orphans
from tests.integration.notifier.mail_server import MailServer, Received
from tests.integration.notifier.notifying import Notifier, Worker
from tests.support import notifier as news
from tests.support.waiting import wait_until


def an_order_mail(notifier: Notifier) -> str:
    """Written and not sent; the recipient."""
    event = news.order_shipped()
    notifier.hears(event)
    return event.contact.email


def killed_at_the_gate(
    worker: Worker, notifier: Notifier, mail_server: MailServer, stage: str
) -> tuple[str, list[Received]]:
    """Kill it while the server holds its answer; then the recipient and all copies that came."""
    gate = mail_server.gates[stage]
    gate.close()
    recipient = an_order_mail(notifier)
    wait_until(gate.has_somebody_waiting, what=f"{stage} at the mail server")

    worker.kill()
    gate.open()

    with notifier.sending():
        notifier.settles(recipient, "sent")
    return recipient, mail_server.copies(recipient)


@contextmanager
def locked(notifier: Notifier, recipient: str) -> Iterator[None]:
    """Nobody can note anything about the mail during the block."""
    with notifier.deps.engine.begin() as connection:
        connection.execute(
            text("SELECT FROM mails WHERE recipient = :recipient FOR UPDATE"),
            {"recipient": recipient},
        )
        yield


@contextmanager
def noting(notifier: Notifier, mail_server: MailServer) -> Iterator[str]:
    """A mail to this recipient was taken, and the note of it has come as far as Postgres."""
    mail_server.gates["stored"].close()
    recipient = an_order_mail(notifier)
    wait_until(mail_server.gates["stored"].has_somebody_waiting)
    with locked(notifier, recipient):
        mail_server.gates["stored"].open()
        wait_until(lambda: somebody_waits_for_the_lock(notifier))
        yield recipient


def somebody_waits_for_the_lock(notifier: Notifier) -> bool:
    return bool(
        notifier.rows(
            "SELECT FROM pg_stat_activity WHERE application_name = 'notifier-worker'"
            " AND datname = current_database() AND wait_event_type = 'Lock'"
        )
    )


def end_sessions_of_the_worker(notifier: Notifier) -> None:
    """With all that they were about to do."""
    notifier.rows(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE application_name = 'notifier-worker' AND datname = current_database()"
    )


def test_killed_after_the_claim_it_leaves_no_copy_behind(
    worker: Worker, notifier: Notifier, mail_server: MailServer
) -> None:
    recipient, copies = killed_at_the_gate(worker, notifier, mail_server, "RCPT")

    assert len(copies) == 1
    assert notifier.mail(recipient).doubts == 0


def test_killed_before_the_content_it_leaves_no_copy_behind(
    worker: Worker, notifier: Notifier, mail_server: MailServer
) -> None:
    recipient, copies = killed_at_the_gate(worker, notifier, mail_server, "DATA")

    assert len(copies) == 1
    assert notifier.mail(recipient).doubts == 1


def test_killed_before_the_answer_it_leaves_one_more_copy_with_the_same_name(
    worker: Worker, notifier: Notifier, mail_server: MailServer
) -> None:
    recipient, copies = killed_at_the_gate(worker, notifier, mail_server, "stored")

    assert notifier.mail(recipient).doubts == 1
    first, second = copies
    assert first.raw == second.raw
    assert first.message["Message-ID"] == second.message["Message-ID"]


def test_killed_between_the_answer_and_the_note_of_it_it_leaves_one_more_copy(
    worker: Worker, notifier: Notifier, mail_server: MailServer
) -> None:
    with noting(notifier, mail_server) as recipient:
        worker.kill()
        end_sessions_of_the_worker(notifier)

    with notifier.sending():
        notifier.settles(recipient, "sent")

    first, second = mail_server.copies(recipient)
    assert first.raw == second.raw


def test_killed_with_the_note_on_its_way_it_sends_nothing_again(
    worker: Worker, notifier: Notifier, mail_server: MailServer
) -> None:
    with noting(notifier, mail_server) as recipient:
        worker.kill()

    with notifier.sending():
        row = notifier.settles(recipient, "sent")
        mail_server.waits_for(an_order_mail(notifier))

    assert row.doubts == 0
    assert len(mail_server.copies(recipient)) == 1


def test_killed_after_the_note_it_sends_nothing_again(
    worker: Worker, notifier: Notifier, mail_server: MailServer
) -> None:
    recipient = an_order_mail(notifier)
    notifier.settles(recipient, "sent")

    worker.kill()
    with notifier.sending():
        mail_server.waits_for(an_order_mail(notifier))

    assert len(mail_server.copies(recipient)) == 1


def test_however_often_it_is_killed_no_mail_is_lost(
    worker: Worker, notifier: Notifier, mail_server: MailServer
) -> None:
    # What the first kill leaves in doubt goes to the end of the queue. It must not be on its way
    # again at the second one: what is in doubt twice is not sent a third time.
    recipients = [an_order_mail(notifier) for _ in range(120)]
    for goal in (10, 25):
        wait_until(lambda count=goal: len(mail_server.inbox) >= count, what=f"{goal} mails")
        worker.kill()
        worker.start()

    for recipient in recipients:
        row = notifier.settles(recipient, "sent")
        copies = mail_server.copies(recipient)
        assert 1 <= len(copies) <= 1 + row.doubts
        assert len({copy.raw for copy in copies}) == 1


def test_a_worker_that_is_asked_to_stop_finishes_the_mail_in_hand(
    worker: Worker, notifier: Notifier, mail_server: MailServer
) -> None:
    gate = mail_server.gates["stored"]
    gate.close()
    recipient = an_order_mail(notifier)
    wait_until(gate.has_somebody_waiting)

    worker.ask_to_stop()
    gate.open()

    assert worker.exit_status() == 0
    assert notifier.mail(recipient).status == "sent"


def test_senders_that_lost_their_sessions_start_new_ones(
    notifier: Notifier, mail_server: MailServer
) -> None:
    with notifier.sending():
        mail_server.waits_for(an_order_mail(notifier))
        notifier.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'notifier-test' AND pid <> pg_backend_pid()"
        )
        notifier.deps.engine.dispose()  # those that rest in the pool, which nobody holds

        mail_server.waits_for(an_order_mail(notifier))


def test_the_claims_of_a_living_sender_are_left_alone(notifier: Notifier) -> None:
    recipient = an_order_mail(notifier)
    with notifier.deps.shift() as busy:
        with busy.unit_of_work() as uow:
            uow.mails.claim(busy.number)
            uow.commit()

        assert adopt_orphans(notifier.deps.unit_of_work()) == 0

    # Postgres gives the lock back as soon as it has noticed that the session is over.
    wait_until(lambda: adopt_orphans(notifier.deps.unit_of_work()) == 1)
    assert notifier.mail(recipient).claimed_by is None


def test_orphans_are_found_without_a_look_at_all_the_mails(notifier: Notifier) -> None:
    limits = {"frozen": timedelta(0), "in_doubt": timedelta(0)}
    with notifier.deps.engine.connect() as connection:
        connection.execute(_ORPHANS, {"limit": 1, "senders": 1, **limits})
        name = connection.exec_driver_sql(
            "SELECT name FROM pg_prepared_statements WHERE statement ~ 'WITH sender[s]'"
        ).scalar_one()
        plan = (
            connection.exec_driver_sql(f"EXPLAIN EXECUTE {name} (1, '0 s', '0 s', 1)")
            .scalars()
            .all()
        )

    scans = {line.split(" using ")[1].split()[0] for line in plan if " using " in line}
    assert scans <= {"mails_claimed"}
    assert not any("Seq Scan" in line for line in plan)


@pytest.mark.parametrize(("status", "seconds"), [("pending", 110), ("sending", 710)])
def test_a_claim_of_a_sender_that_waits_for_a_slow_server_does_not_run_out(
    notifier: Notifier, status: str, seconds: int
) -> None:
    an_order_mail(notifier)
    with notifier.deps.shift() as slow:
        with slow.unit_of_work() as uow:
            assert uow.mails.claim(slow.number)
            uow.commit()
        notifier.rows(
            "UPDATE mails SET status = :status, claimed_at = now() - :seconds * interval '1 s'",
            status=status,
            seconds=seconds,
        )

        assert adopt_orphans(notifier.deps.unit_of_work()) == 0


@pytest.mark.parametrize(("status", "seconds"), [("pending", 121), ("sending", 721)])
def test_a_claim_of_a_frozen_sender_runs_out(
    notifier: Notifier, mail_server: MailServer, status: str, seconds: int
) -> None:
    recipient = an_order_mail(notifier)
    with notifier.deps.shift() as frozen:
        with frozen.unit_of_work() as uow:
            mail = uow.mails.claim(frozen.number)
            assert mail is not None
            uow.commit()
        notifier.rows(
            "UPDATE mails SET status = :status, claimed_at = now() - :seconds * interval '1 s'",
            status=status,
            seconds=seconds,
        )

        with notifier.sending():
            row = notifier.settles(recipient, "sent")

    assert row.doubts == (1 if status == "sending" else 0)
