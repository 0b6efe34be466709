"""The composition root: settings in, everything wired out. Nothing connects before first use."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from functools import partial
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import sessionmaker

from notifier.adapters.books import FACTS
from notifier.adapters.one_time_links import IdentityLinks, LinkingMailServer
from notifier.adapters.pace import Pace
from notifier.adapters.read_models import SqlQueries
from notifier.adapters.shifts import open_shift
from notifier.adapters.smtp import SMTPAddress, SMTPServer
from notifier.adapters.unit_of_work import SqlUnitOfWork
from notifier.adapters.wording import Drafting
from notifier.domain.letter import Recipient
from notifier.settings import Settings
from notifier.use_cases.ports import MailServer, Shifts
from notifier.use_cases.queries import Queries
from oja_events.books.facts import Facts
from oja_events.database import make_engine, ping
from oja_events.prepared import FOR_ITS_VALUES
from oja_events.wakeup import Waker

SERVICE = "notifier"
MAILS = "notifier_mails"  # who waits for mail to send is woken under this name
MIGRATIONS = Path(__file__).parent / "adapters" / "migrations"


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the entrypoints work with. `unit_of_work` gives a fresh one for each use, `mail_server`
    a connection of its own, `shift` a sender's time at work."""

    settings: Settings
    engine: Engine
    facts: Facts
    unit_of_work: Callable[..., SqlUnitOfWork]
    queries: Queries
    drafting: Drafting
    mail_server: Callable[[], MailServer]
    shift: Shifts

    def check(self) -> None:
        """Raises while the database does not answer."""
        ping(self.engine)


def build(settings: Settings, *, role: str = "http", pool_size: int = 6) -> Dependencies:
    """Raises BadSMTPURL, and BadAddress for an address of our own that is none."""
    for own in (parseaddr(settings.mail_from)[1], *settings.staff):
        Recipient(own)
    engine = make_engine(
        settings.database_url, application=f"{SERVICE}-{role}", pool_size=pool_size
    )
    sessions = sessionmaker(engine, expire_on_commit=False)
    on_sessions = partial(
        SqlUnitOfWork,
        source=SERVICE,
        waker=Waker(engine, SERVICE),
        mail_waker=Waker(engine, MAILS),
        mail_from=settings.mail_from,
        staff_mail=settings.staff,
        storefront=settings.storefront_url,
        pace=Pace(settings.mail_rate_per_second),
        alerts_collected_for=timedelta(seconds=settings.alert_digest_seconds),
    )
    server = SMTPAddress.from_url(settings.smtp_url)
    return Dependencies(
        settings=settings,
        engine=engine,
        facts=FACTS,
        unit_of_work=partial(on_sessions, sessions),
        queries=SqlQueries(sessionmaker(engine.execution_options(**FOR_ITS_VALUES))),
        drafting=Drafting(settings.storefront_url),
        mail_server=lambda: LinkingMailServer(
            SMTPServer(server, sender=settings.mail_from),
            IdentityLinks(settings.identity_url, settings.internal_token),
        ),
        shift=partial(
            open_shift,
            engine,
            wakes=MAILS,
            unit_of_work=on_sessions,
            paced=bool(settings.mail_rate_per_second),
        ),
    )
