"""Each takes one protection away, and names tests that must then fail.

The list is that of the negative controls of the fault-injection programme; a mutant that no test
notices is a hole in the tests.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from sqlalchemy import text

EVENTS = "tests/integration/events/"
DELIVERY = EVENTS + "test_delivery.py::"
UNROUTABLE = DELIVERY + (
    "test_an_event_that_reaches_no_queue_is_kept_and_holds_back_only_its_own_aggregate"
)
TOPOLOGY = "tests/unit/events/test_topology.py"


@dataclass(frozen=True, slots=True)
class Mutant:
    apply: Callable[[], None]
    tests: tuple[str, ...]


def rewritten(statement: Any, old: str, new: str) -> Any:
    """The SQL with one part replaced, which must be there."""
    if old not in statement.text:
        raise LookupError(f"{old!r} is not in the statement any more")
    return text(statement.text.replace(old, new))


def inbox_without_on_conflict() -> None:
    from oja_events import inbox

    inbox._NOTE = rewritten(inbox._NOTE, "ON CONFLICT (event_id) DO NOTHING", "")


def acknowledged_before_the_commit() -> None:
    from faststream import AckPolicy

    from oja_events import consuming

    first = SimpleNamespace(REJECT_ON_ERROR=AckPolicy.ACK_FIRST)
    consuming.AckPolicy = first  # type: ignore[assignment,misc]


def deleted_before_the_confirm() -> None:
    from oja_events.confirms import Outcome
    from oja_events.relay import Relay

    def due(self: Relay, lead: Any) -> Any:
        rows = read(self, lead)
        self._settle(lead, Outcome(confirmed=[row.id for row in rows]))
        return rows

    read, Relay._due = Relay._due, due  # type: ignore[method-assign]


def no_confirms() -> None:
    from oja_events.confirms import ConfirmWindow, Outcome

    def publish(self: ConfirmWindow, messages: Any) -> Outcome:
        for message in messages:
            self._send(message)
        self._waiting.clear()
        return Outcome(confirmed=[message.id for message in messages])

    ConfirmWindow.publish = publish  # type: ignore[method-assign]
    ConfirmWindow._resolve = lambda *_: None  # type: ignore[method-assign]


def returns_ignored() -> None:
    from oja_events.confirms import ConfirmWindow

    ConfirmWindow._on_return = lambda *_: None  # type: ignore[method-assign]


def no_dead_letters() -> None:
    from oja_events import consuming, topology

    consuming.PREFETCH = 0
    topology._policies = lambda _service: []


def no_look_at_what_is_available() -> None:
    from catalog.adapters.repositories import stock

    stock._ENTER = rewritten(stock._ENTER, "on_hand - reserved AS", "on_hand AS")


def no_lock_before_the_look() -> None:
    from catalog.adapters.repositories import stock

    stock._ENTER = rewritten(stock._ENTER, "FOR UPDATE", "")


def a_second_name_does_not_begin_anew() -> None:
    from catalog.adapters.repositories import search

    search._NOTE_RENAMED = rewritten(
        search._NOTE_RENAMED, "DO UPDATE SET indexed_to = DEFAULT", "DO NOTHING"
    )


def no_lock_before_indexing() -> None:
    from catalog.adapters.repositories import search

    search._LOCK_NEXT = rewritten(search._LOCK_NEXT, "FOR UPDATE", "")


def no_lock_on_the_cart() -> None:
    from ordering.adapters import repositories

    repositories._DRAFT = rewritten(repositories._DRAFT, "FOR UPDATE", "")


def duplicates_remembered_outside_the_transaction() -> None:
    from oja_events import inbox

    remembered = set()
    note = inbox.note

    def recall(session: Any, envelope: Any, outcome: str = "applied") -> Any:
        if envelope.id in remembered:
            raise inbox.AlreadyHandled(envelope.id)
        remembered.add(envelope.id)
        return note(session, envelope, outcome)

    inbox.note = recall


def a_refund_asked_for_again_without_a_look() -> None:
    from payments.use_cases import refunding

    refunding._find = lambda _refund, _siblings, _at_provider: None


def a_webhook_kept_without_a_lock_on_its_order() -> None:
    from payments.adapters.repositories import webhooks

    webhooks._APPLIED = rewritten(webhooks._APPLIED, "FOR SHARE OF orders", "")


def a_new_reference_after_a_time_out() -> None:
    from payments.domain.payment import Payment
    from payments.use_cases import opening

    def give_up(payment: Payment, unit_of_work: Any, _provider: Any) -> None:
        opening._change(payment.reference, Payment.abandon, unit_of_work)

    opening._open_again = give_up  # type: ignore[assignment]


def a_feed_by_id() -> None:
    from oja_events import feed

    by_id = rewritten(feed._PAGE, "SELECT position,", "SELECT event_log_id AS position,")
    by_id = rewritten(by_id, "WHERE position >", "WHERE event_log_id >")
    feed._PAGE = rewritten(by_id, "ORDER BY position", "ORDER BY event_log_id")


def published_inside_the_transaction() -> None:
    from kombu import Connection, Exchange, Producer  # type: ignore[attr-defined]

    from oja_events.outbox import Outbox
    from oja_events.relay import Relay
    from oja_events.topology import EVENTS_EXCHANGE

    brokers: list[str] = []
    begin = Relay.__init__

    def remember(self: Relay, engine: Any, broker_url: str, service: str) -> None:
        brokers.append(broker_url)
        begin(self, engine, broker_url, service)

    def flush(self: Outbox) -> None:
        write(self)
        told = self._session.execute(
            text("""
                DELETE FROM outbox_pending USING event_log WHERE event_log.id = outbox_pending.id
                RETURNING event_log.type, event_log.envelope
            """)
        )
        with Connection(brokers[-1], connect_timeout=2) as broker:
            channel = broker.channel()
            publisher = Producer(channel, Exchange(EVENTS_EXCHANGE, "topic"), auto_declare=False)
            for event in told:
                publisher.publish(bytes(event.envelope), routing_key=event.type)

    Relay.__init__ = remember  # type: ignore[method-assign]
    write, Outbox.flush = Outbox.flush, flush  # type: ignore[method-assign]


def killers_go_up_the_ladder() -> None:
    from oja_events import topology

    policies = topology._policies

    def to_the_ladder(service: str) -> Any:
        main, *others = policies(service)
        main["definition"]["dead-letter-routing-key"] = "retry.5s"
        return [main, *others]

    topology._policies = to_the_ladder


def no_repair() -> None:
    from oja_events.repair import Repair

    Repair.run = lambda _self, stop, _away: stop.wait()  # type: ignore[method-assign]


def sent_before_it_is_sent() -> None:
    from notifier.use_cases import sending

    attempt = sending._attempt

    def conclude_first(mail: Any, shift: Any, server: Any) -> None:
        sending._conclude(mail, shift, None)
        attempt(mail, shift, server)

    sending._attempt = conclude_first


def any_confirm_will_do() -> None:
    """What kombu's own `confirm_publish` does when a connection is used on after a time-out."""
    from oja_events.confirms import ConfirmWindow

    def resolve(self: ConfirmWindow, _tag: int, _multiple: bool, good: Any) -> None:
        if self._waiting:
            key, event_id = self._waiting.pop(next(iter(self._waiting)))
            outcome = self._outcome
            (outcome.confirmed if good(event_id) else outcome.refused).append(key)

    def collect(self: ConfirmWindow, deadline: float) -> None:
        try:
            wait(self, deadline)
        except Exception:
            self._waiting.clear()

    wait, ConfirmWindow._collect = ConfirmWindow._collect, collect  # type: ignore[method-assign]
    ConfirmWindow._resolve = resolve  # type: ignore[method-assign]


def sequences_without_a_lock() -> None:
    from oja_events import outbox

    outbox._WRITE = rewritten(
        outbox._WRITE,
        """
        INSERT INTO event_stream (subject, last_sequence)
        SELECT subject, count(*) FROM event GROUP BY subject ORDER BY subject
        ON CONFLICT (subject) DO UPDATE
            SET last_sequence = event_stream.last_sequence + excluded.last_sequence
        RETURNING subject, last_sequence""",
        """
        SELECT subject, count(*) + coalesce((SELECT max(sequence) FROM event_log
                                             WHERE event_log.subject = event.subject), 0)
            AS last_sequence
        FROM event GROUP BY subject""",
    )


def what_went_well_is_kept_without_the_rest() -> None:
    from contextlib import suppress

    from oja_events import handling

    def run(engine: Any, units: Any, run: Any) -> None:
        def go_on(unit: Any) -> None:
            with suppress(Exception):
                run(unit)
            unit._shared.kept.setdefault(unit, unit._outbox)

        run_all(engine, units, go_on)

    run_all, handling.run_all = handling.run_all, run


def nobody_is_suspected_of_killing() -> None:
    from oja_events.gathering import Delivery

    def trust(self: Delivery, message: Any) -> None:
        begin(self, message)
        self.is_new = True

    begin, Delivery.__init__ = Delivery.__init__, trust  # type: ignore[method-assign]


def acknowledged_with_older_ones_in_hand() -> None:
    from oja_events.receipts import Receipts

    Receipts._are_the_oldest = lambda *_: True  # type: ignore[method-assign]


def cancelled_without_asking() -> None:
    from payments.use_cases import deadlines

    deadlines._money_is_moving = lambda *_: False


MUTANTS = {
    each.apply.__name__: each
    for each in [
        Mutant(
            inbox_without_on_conflict,
            ("tests/integration/ordering/test_consumer.py",),
        ),
        Mutant(
            acknowledged_before_the_commit,
            (DELIVERY + "test_what_is_in_hand_when_the_consumer_is_killed_is_handled_by_the_next",),
        ),
        Mutant(deleted_before_the_confirm, (UNROUTABLE,)),
        Mutant(no_confirms, (UNROUTABLE,)),
        Mutant(returns_ignored, (UNROUTABLE,)),
        Mutant(no_dead_letters, (TOPOLOGY,)),
        Mutant(
            no_look_at_what_is_available,
            ("tests/integration/catalog/test_stock.py", "-k", "hundred"),
        ),
        Mutant(
            no_lock_before_the_look,
            ("tests/integration/catalog/test_stock.py", "-k", "come_free"),
        ),
        Mutant(
            a_second_name_does_not_begin_anew,
            ("tests/integration/catalog/test_renaming.py", "-k", "again"),
        ),
        Mutant(
            no_lock_before_indexing,
            ("tests/integration/catalog/test_renaming.py", "-k", "says_then"),
        ),
        Mutant(
            no_lock_on_the_cart,
            ("tests/integration/ordering/test_checkout.py", "-k", "s38"),
        ),
        Mutant(
            duplicates_remembered_outside_the_transaction,
            ("tests/integration/ordering/test_consumer.py",),
        ),
        Mutant(
            a_new_reference_after_a_time_out,
            ("tests/integration/payments/test_paying.py",),
        ),
        Mutant(
            a_refund_asked_for_again_without_a_look,
            ("tests/integration/payments/test_refunds.py", "-k", "lost"),
        ),
        Mutant(
            a_webhook_kept_without_a_lock_on_its_order,
            ("tests/integration/payments/test_erasing.py", "-k", "while"),
        ),
        Mutant(a_feed_by_id, (EVENTS + "test_numbering.py",)),
        Mutant(
            published_inside_the_transaction,
            (DELIVERY + "test_everything_arrives_although_the_broker_was_killed_in_between",),
        ),
        Mutant(killers_go_up_the_ladder, (TOPOLOGY,)),
        Mutant(
            no_repair,
            (EVENTS + "test_repair.py::test_without_a_broker_news_is_there_in_seconds",),
        ),
        Mutant(sent_before_it_is_sent, ("tests/integration/notifier/test_crashes.py",)),
        Mutant(any_confirm_will_do, ("tests/unit/events/test_confirms.py",)),
        Mutant(sequences_without_a_lock, (EVENTS + "test_numbering.py",)),
        Mutant(what_went_well_is_kept_without_the_rest, (EVENTS + "test_batches.py",)),
        Mutant(nobody_is_suspected_of_killing, ("tests/unit/events/test_gathering.py",)),
        Mutant(acknowledged_with_older_ones_in_hand, ("tests/unit/events/test_receipts.py",)),
        Mutant(cancelled_without_asking, ("tests/integration/payments/test_deadlines.py",)),
    ]
}
