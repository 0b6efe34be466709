"""Named places at which a process kills itself, like a power cut, when it is told to.

The folder in `OJA_CRASHES` may hold `armed`: a point, a service and which time that it is reached
(`relay.6 ordering 1`). Whoever gets there that often renames the file to `fired` and dies by
SIGKILL. Where `seen` exists, everybody notes there which points he passes.

    web.1 before the commit, web.2 after it, before the answer
    relay.1 leads, .2 before positions, .3 after them, .4 one is sent, .5 all are and none is
        confirmed, .6 confirmed and not deleted, .7 deleted
    cons.1 delivered, .2 inbox noted, .3 effect before the commit, .4 committed and not
        acknowledged, .5 acknowledged
    retry.1 copied into the ladder and not acknowledged · drain.1 put away and not acknowledged
    saga.1 deadline claimed · work.1, work.2 before and after a commit of a worker
    pay.1 before the call, .2 sent, .3 answered, .4 webhook kept, .5 applied before the commit,
        .6 refund asked for before the commit
    mail.1 claimed, .2 about to connect, .3 after RCPT, .4 announced, .5 taken and not noted
    feed.1 page read, .2 what was missing is in the backlog
"""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ.get("OJA_CRASHES", "/nonexistent"))
SERVICE, _, ENTRYPOINT = next(
    (word.partition(".entrypoints.") for word in sys.orig_argv if ".entrypoints." in word),
    ("", "", ""),
)

POINTS = (
    *(f"web.{n}" for n in (1, 2)),
    *(f"relay.{n}" for n in range(1, 8)),
    *(f"cons.{n}" for n in range(1, 6)),
    "retry.1",
    "drain.1",
    "saga.1",
    *(f"work.{n}" for n in (1, 2)),
    *(f"pay.{n}" for n in range(1, 7)),
    *(f"mail.{n}" for n in range(1, 6)),
    *(f"feed.{n}" for n in (1, 2)),
)


def reach(point: str) -> None:
    """Die here if that is what `armed` says."""
    with suppress(FileNotFoundError):
        # Each line at the end, whoever else writes one, and no file where none is wanted.
        seen = os.open(FOLDER / "seen", os.O_WRONLY | os.O_APPEND)
        os.write(seen, f"{point} {SERVICE}\n".encode())
        os.close(seen)
        return
    with suppress(FileNotFoundError, ValueError):
        name, service, time = (FOLDER / "armed").read_text().split()
        if (name, service) == (point, SERVICE) and _count() == int(time):
            (FOLDER / "armed").rename(FOLDER / "fired")
            os.kill(os.getpid(), signal.SIGKILL)


def _count() -> int:
    """How often the armed point was reached, by all processes together."""
    with (FOLDER / "reached").open("ab") as reached:
        reached.write(b".")
        reached.flush()
        return reached.tell()


def around(owner: Any, name: str, *, before: str = "", after: str = "") -> None:
    """Put points around a function; `after` counts only when it gave something back or nothing
    at all, not for 0, False and empty lists."""
    real = getattr(owner, name)

    @wraps(real)
    def pointed(*args: Any, **options: Any) -> Any:
        if before:
            reach(before)
        answer = real(*args, **options)
        if after and (answer is None or answer):
            reach(after)
        return answer

    setattr(owner, name, pointed)


def around_async(owner: Any, name: str, *, after: str) -> None:
    real = getattr(owner, name)

    @wraps(real)
    async def pointed(*args: Any, **options: Any) -> Any:
        answer = await real(*args, **options)
        reach(after)
        return answer

    setattr(owner, name, pointed)


def arm() -> None:
    """Put all points of this process in their places."""
    if not SERVICE or ENTRYPOINT.startswith("admin"):
        return
    _commits()
    role = "http" if ENTRYPOINT.startswith("http") else ENTRYPOINT
    {"http": lambda: None, "consumer": _consumer, "worker": _worker}[role]()
    if SERVICE == "payments":
        _payments()
    if SERVICE == "notifier":
        _notifier()


def _commits() -> None:
    from oja_events.unit_of_work import Shared, SqlTransaction

    around(Shared, "commit", before="cons.3", after="cons.4")
    commit: Callable[[Any], None] = SqlTransaction.commit
    at_large = ("web.1", "web.2") if ENTRYPOINT.startswith("http") else ("work.1", "work.2")

    def pointed(self: Any) -> None:
        if self._savepoints or self._shared:
            return commit(self)
        before, after = ("cons.3", "cons.4") if self._handling else at_large
        self._outbox.flush()
        reach(before)
        commit(self)
        reach(after)

    SqlTransaction.commit = pointed  # type: ignore[method-assign]


def _consumer() -> None:
    import aio_pika

    from oja_events import consuming, inbox, repair
    from oja_events.handling import MessageHandler
    from oja_web import feeds

    for handle in ("handle", "handle_together"):
        around(MessageHandler, handle, before="cons.1")
    for note in ("note", "note_all"):
        around(inbox, note, after="cons.2")
    around_async(aio_pika.IncomingMessage, "ack", after="cons.5")
    around_async(consuming._Consumer, "_copy", after="retry.1")
    around_async(consuming._Consumer, "_on_parked", after="drain.1")
    around(feeds.HTTPFeeds, "page", after="feed.1")
    around(repair.Repair, "_take", after="feed.2")


def _worker() -> None:
    from oja_events.confirms import ConfirmWindow
    from oja_events.relay import Relay

    around(Relay, "_lead", before="relay.1")
    around(Relay, "_number", before="relay.2", after="relay.3")
    around(ConfirmWindow, "_send", after="relay.4")
    around(ConfirmWindow, "_collect", before="relay.5")
    around(Relay, "_settle", before="relay.6", after="relay.7")


def _payments() -> None:
    import http.client

    from payments.adapters import paystack, repositories

    around(paystack.Paystack, "initialize", before="pay.1", after="pay.3")
    around(http.client.HTTPConnection, "getresponse", before="pay.2")
    around(repositories.SqlWebhookRepository, "keep", after="pay.4")
    around(repositories.SqlWebhookRepository, "applied", after="pay.5")
    around(paystack.Paystack, "refund", after="pay.6")
    around(repositories.SqlOrderRepository, "claim_overdue", after="saga.1")


def _notifier() -> None:
    from notifier.adapters import repositories, smtp
    from notifier.use_cases import sending

    around(repositories.SqlMailRepository, "claim", after="mail.1")
    around(smtp.SMTPServer, "offer", before="mail.2", after="mail.3")
    around(sending, "_announce", after="mail.4")
    around(smtp.SMTPServer, "hand_over", after="mail.5")
