"""All rules at once: what `./oja audit` and `GET /api/admin/books` show."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from oja_events.books import deadlines, deliveries, ghosts, money, orders, stock
from oja_events.books.facts import Sources
from oja_events.books.money import Provider
from oja_events.books.report import Enough, Report, SourceAway, Verdict

USUAL_WINDOW = timedelta(days=1)
# The journals are kept for 30 days.
LONGEST_WINDOW = timedelta(days=29)

RULES = {
    "stock": "the counters of every SKU are what its ledger and reservations say",
    "reservations": "what is held or sold for an order is what the order needs",
    "deadlines": "every order that waits for money has a deadline that somebody looks at",
    "paid_orders": "every paid order has one capture of its total at Paystack",
    "captures": "every capture at Paystack paid for an order, or goes back",
    "refunds": "every refund that we call done is done at Paystack",
    "mails": "every order has the mails that its life calls for",
    "deliveries": "every event reached everybody who listens, once",
    "ghosts": "nothing had an effect that nobody has told",
    "journals": "no feed and no aggregate has a gap in its numbers",
}


def audit(sources: Sources, provider: Provider, *, window: timedelta = USUAL_WINDOW) -> Report:
    """Judge what happened within the window. Rules whose facts cannot be had are `unknown`."""
    now, started = datetime.now(UTC), time.monotonic()
    since = now - min(window, LONGEST_WINDOW)
    found = {rule: Verdict(rule, says) for rule, says in RULES.items()}
    of_money = money.Verdicts(found["paid_orders"], found["captures"], found["refunds"])
    _judge(lambda: stock.judge(sources, since, found["stock"]), found["stock"])
    _judge(
        lambda: orders.judge_reservations(sources, since, found["reservations"]),
        found["reservations"],
    )
    _judge(lambda: deadlines.judge(sources, since, found["deadlines"]), found["deadlines"])
    _judge(
        lambda: money.judge(sources, provider, since, now, of_money),
        of_money.paid,
        of_money.captured,
        of_money.refunded,
    )
    _judge(lambda: orders.judge_mails(sources, since, found["mails"]), found["mails"])
    _judge(
        lambda: deliveries.judge_deliveries(sources, since, found["deliveries"]),
        found["deliveries"],
    )
    _judge(lambda: ghosts.judge(sources, since, found["ghosts"]), found["ghosts"])
    _judge(lambda: deliveries.judge_journals(sources, since, found["journals"]), found["journals"])
    return Report(now, since, time.monotonic() - started, list(found.values()))


def _judge(judge: Callable[[], None], *verdicts: Verdict) -> None:
    try:
        judge()
    except SourceAway as error:
        for verdict in verdicts:
            verdict.error = str(error)
    except Enough:
        full = next(verdict for verdict in verdicts if verdict.faults)
        full.error = f"only the first {len(full.faults)} are shown"
