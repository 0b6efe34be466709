"""A sender: one thread that takes mail out of the ledger and hands it to the mail server."""

import logging
import threading
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from notifier.use_cases.errors import ServerAway, ShiftEnded, TooFast
from notifier.use_cases.ports import MailServer, Shift, Shifts
from notifier.use_cases.sending import send_next
from oja_events.worker import Job

log = logging.getLogger(__name__)

IDLE_POLL = 0.5  # seconds; only for a wake-up that got lost, and for mails that are due later
LONGEST_PAUSE = 1.0  # between two looks at the pace, which may be changed meanwhile
AWAY_DELAYS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)


def sender(shifts: Shifts, mail_server: Callable[[], MailServer]) -> Job:
    """A job that sends until it is told to stop, finishing the mail in hand. It waits out trouble
    with Postgres, the mail server or itself; mails wait in the ledger meanwhile."""

    def job(stop: threading.Event) -> None:
        server = mail_server()
        failures = 0
        while not stop.is_set():
            try:
                with shifts() as shift:
                    failures = 0
                    _work(shift, server, stop)
            except (SQLAlchemyError, ShiftEnded) as error:
                log.warning("sender lost the database", extra={"error": str(error)[:200]})
                stop.wait(AWAY_DELAYS[min(failures, len(AWAY_DELAYS) - 1)])
                failures += 1
            except Exception:
                log.exception("sender failed, beginning a new shift")
                stop.wait(AWAY_DELAYS[0])
        server.close()

    return job


def _work(shift: Shift, server: MailServer, stop: threading.Event) -> None:
    failures = 0
    while not stop.is_set():
        try:
            found = send_next(shift, server)
        except TooFast as error:
            stop.wait(min(error.seconds, LONGEST_PAUSE))
            continue
        except ServerAway as error:
            log.warning("mail server is away", extra={"error": str(error)})
            stop.wait(AWAY_DELAYS[min(failures, len(AWAY_DELAYS) - 1)])
            failures += 1
            continue
        if found:
            failures = 0
        else:
            shift.wait(IDLE_POLL)
