"""What was told of an order, and whether everybody who listens has handled it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from oja_events.books import mending
from oja_events.books.facts import Sources, by_ids
from oja_events.books.report import Fault, Verdict
from oja_events.topology import SUBSCRIBERS

# Who tells of an order under its own id.
TELLERS = ("ordering", "catalog", "payments")
HANDLED = {"applied", "parked", "vanished"}
LISTENERS = {event.TYPE: names for event, names in SUBSCRIBERS.items()}


@dataclass(frozen=True, slots=True)
class Told:
    """One event on its way to one service, and what became of it there."""

    event_id: str
    type: str
    listener: str
    outcome: str


News = Mapping[str, frozenset[Told]]
"""What was told, by the id of the order."""
Look = Callable[[list[str]], list[Fault]]
"""Compares anew what is known of these ids, and returns what does not add up."""


def of_orders(sources: Sources, order_ids: Iterable[str]) -> News:
    """All news of these orders, with what became of them."""
    wanted = sorted(set(order_ids))
    events = [
        event
        for teller in TELLERS
        for event in (sources.rows(teller, "journal.about", ids=wanted) if wanted else ())
    ]
    awaited: dict[str, list[str]] = defaultdict(list)
    for event in events:
        for listener in LISTENERS.get(event["type"], ()):
            awaited[listener].append(event["event_id"])
    heard = {
        listener: by_ids(sources, listener, "heard", "event_id", ids)
        for listener, ids in awaited.items()
    }
    found: dict[str, set[Told]] = {order_id: set() for order_id in wanted}
    for event in events:
        for listener in LISTENERS.get(event["type"], ()):
            outcome = heard[listener][event["event_id"]]["outcome"]
            found[event["subject"]].add(Told(event["event_id"], event["type"], listener, outcome))
    return {order_id: frozenset(told) for order_id, told in found.items()}


def confirm(
    sources: Sources,
    verdict: Verdict,
    suspects: Iterable[Fault],
    look: Look,
    *,
    order_of: Mapping[str, str] | None = None,
) -> None:
    """Add to the verdict what is still wrong when nothing is under way.

    All news of the order was handled by everybody before the second look began, and there was none
    new when it had ended: so what was looked at belongs together, however busy the shop is. Of
    whatever is in between nothing is known yet. `order_of` says which orders the ids belong to, if
    they are not their ids.
    """
    ids = sorted({suspect.id for suspect in suspects})
    if not ids:
        return
    orders = {each: (order_of or {}).get(each, each) for each in ids}
    before = of_orders(sources, orders.values())
    wrong = look(ids)
    after = of_orders(sources, orders.values())
    in_between = set()
    for fault in wrong:
        news = before[orders[fault.id]]
        if news != after[orders[fault.id]] or not _settled(news):
            in_between.add(fault.id)
        else:
            verdict.add(fault)
    verdict.waiting += len(in_between)


def _settled(news: frozenset[Told]) -> bool:
    return all(told.outcome in HANDLED for told in news)


def mend(news: frozenset[Told], event_type: str, listener: str) -> str:
    """Have `listener` handle the latest event of that type again."""
    told = [each for each in news if (each.type, each.listener) == (event_type, listener)]
    if not told:
        return "./oja events tail"
    latest = max(told, key=lambda each: each.event_id)
    return mending.hear_again(listener, latest.event_id, latest.outcome)
