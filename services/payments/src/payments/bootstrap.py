"""The composition root: settings in, everything wired out. Nothing connects before first use."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Engine

from oja_events.books.facts import Facts
from oja_events.database import make_engine, ping
from oja_events.prepared import FOR_ITS_VALUES
from oja_web.books import HTTPSources
from payments.adapters.auditing import Auditor
from payments.adapters.bell import Bell
from payments.adapters.books import FACTS
from payments.adapters.breaker import Breaker
from payments.adapters.lookout import Lookout
from payments.adapters.paystack import Paystack
from payments.adapters.paystack_books import PaystackBooks
from payments.adapters.paystack_http import PaystackHTTP
from payments.adapters.read_models import SqlQueries
from payments.adapters.unit_of_work import SqlUnitsOfWork
from payments.settings import Settings
from payments.use_cases.ports import PaymentProvider
from payments.use_cases.queries import Queries

SERVICE = "payments"
MIGRATIONS = Path(__file__).parent / "adapters" / "migrations"
# Two thirds of the web server's threads: the others stay free for webhooks, for calls to Paystack
# and for everybody else. Who finds no place is told to come back.
MOST_WAITING = 16


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the entrypoints work with. `unit_of_work` gives a fresh one for each use; `lookout` is
    for who waits for news; `bell` rings when a webhook is stored; `auditor` looks whether the
    whole shop adds up."""

    settings: Settings
    engine: Engine
    facts: Facts
    unit_of_work: SqlUnitsOfWork
    queries: Queries
    provider: PaymentProvider
    lookout: Lookout
    bell: Bell
    auditor: Auditor

    def check(self) -> None:
        """Raises while the database does not answer."""
        ping(self.engine)


def build(
    settings: Settings, *, role: str = "http", pool_size: int = 8, parallel_calls: int = 3
) -> Dependencies:
    """`pool_size` is that of each of the two pools. `parallel_calls` to Paystack at once; fewer
    than threads, so that some are always left for what needs no Paystack."""
    connect = partial(
        make_engine, settings.database_url, application=f"{SERVICE}-{role}", pool_size=pool_size
    )
    engine, alone = connect(), connect(autocommit=True)
    key = settings.paystack_secret_key
    http = PaystackHTTP(settings.paystack_base_url, key, Breaker(parallel=parallel_calls))
    unit_of_work = SqlUnitsOfWork(engine, alone, SERVICE)
    return Dependencies(
        settings=settings,
        engine=engine,
        facts=FACTS,
        unit_of_work=unit_of_work,
        queries=SqlQueries(alone.execution_options(**FOR_ITS_VALUES)),
        provider=Paystack(http, key),
        lookout=Lookout(unit_of_work, places=MOST_WAITING),
        bell=Bell(engine),
        auditor=_auditor(settings, unit_of_work),
    )


def _auditor(settings: Settings, unit_of_work: SqlUnitsOfWork) -> Auditor:
    """With calls to Paystack of his own, one at a time, so that payments never wait for them."""
    key = settings.paystack_secret_key
    http = PaystackHTTP(settings.paystack_base_url, key, Breaker(parallel=1))
    sources = HTTPSources(settings.feed_urls, settings.internal_token)
    return Auditor(unit_of_work, sources, PaystackBooks(http, key))
