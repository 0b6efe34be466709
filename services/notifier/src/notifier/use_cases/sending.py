"""How a mail leaves, step by step; every step is a transaction of its own, none of them waits for
the mail server.

    claim   the mail is this sender's alone           (crash: claimed anew, nothing was sent)
    words   those that the ledger does not keep          (crash: the same)
    offer   the server hears who writes to whom       (crash: the same)
    announce  from here on it may have the mail       (crash: doubt, sent once more)
    hand over the content, up to its answer           (crash: the same)
    conclude  what it said is kept
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from traceback import format_tb

from notifier.domain.mail import Mail
from notifier.domain.template import BadTemplate
from notifier.use_cases.errors import (
    ClaimLost,
    Deferred,
    DeliveryProblem,
    NotWantedAnyMore,
    Refused,
    ServerAway,
    Unclear,
)
from notifier.use_cases.ports import MailServer, Shift, UnitOfWork

log = logging.getLogger(__name__)

BATCH_OF_ORPHANS = 100


def send_next(shift: Shift, server: MailServer) -> bool:
    """Try the mail that has been due the longest; False when none is due.

    Raises ServerAway, after putting the mail back, so that the caller can wait for the server,
    and TooFast, so that it can wait for its turn.
    """
    mail = _claim(shift)
    if mail is None:
        return False
    try:
        _attempt(mail, shift, server)
    except ClaimLost:
        return True  # whoever has it now goes on from what the ledger says
    return True


def adopt_orphans(uow: UnitOfWork) -> int:
    """Take care of what dead senders left behind; returns how many mails that were."""
    with uow:
        orphans = uow.mails.orphans(BATCH_OF_ORPHANS)
        for mail in orphans:
            mail.orphaned(now=uow.now())
            _keep(mail, uow)
        uow.commit()
    return len(orphans)


def _claim(shift: Shift) -> Mail | None:
    with shift.at_once() as uow:
        mail = uow.mails.claim(shift.number)
        if mail is not None:
            uow.commit()
    return mail


def _attempt(mail: Mail, shift: Shift, server: MailServer) -> None:
    try:
        _put_into_words(mail, shift)
        with _unforeseen(Deferred):
            server.offer(mail)
        _announce(mail, shift)
        with _unforeseen(Unclear):
            server.hand_over(mail)
    except DeliveryProblem as problem:
        with suppress(ClaimLost):
            _conclude(mail, shift, problem)
        if isinstance(problem, ServerAway):
            raise  # whoever has the mail now
    else:
        _note_accepted(mail, shift)


def _put_into_words(mail: Mail, shift: Shift) -> None:
    try:
        with shift.at_once() as uow:
            uow.mails.put_into_words(mail)
    except BadTemplate as error:
        raise Deferred(f"no words for it: {error}") from error


@contextmanager
def _unforeseen(outcome: type[DeliveryProblem]) -> Iterator[None]:
    """What nobody thought of concerns this one mail; others must leave all the same. The ledger has
    its kind and no more: its text may hold a secret."""
    try:
        yield
    except DeliveryProblem:
        raise
    except Exception as error:
        (*_, where) = format_tb(error.__traceback__)
        log.error("unforeseen", extra={"error": type(error).__name__, "where": where})
        raise outcome(f"unforeseen: {type(error).__name__}") from error


def _announce(mail: Mail, shift: Shift) -> None:
    with shift.at_once() as uow:
        uow.mails.announce(mail)
        uow.commit()


def _note_accepted(mail: Mail, shift: Shift) -> None:
    mail.accepted()
    with shift.at_once() as uow:
        uow.mails.conclude(mail)
        uow.commit()


def _conclude(mail: Mail, shift: Shift, problem: Exception) -> None:
    with shift.unit_of_work() as uow:
        now = uow.now()
        match problem:
            case ServerAway():
                mail.put_back(str(problem), now=now)
            case Deferred():
                mail.postponed(str(problem), now=now)
            case NotWantedAnyMore():
                mail.dropped(str(problem), now=now)
            case Refused():
                mail.refused(str(problem), now=now)
            case _:
                mail.doubted(str(problem), now=now)
        _keep(mail, uow)
        uow.commit()


def _keep(mail: Mail, uow: UnitOfWork) -> None:
    uow.mails.conclude(mail)
    uow.alerts.add(*mail.pull_alerts())
