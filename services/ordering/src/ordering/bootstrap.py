"""The composition root: settings in, everything wired out. Nothing connects before first use."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import sessionmaker

from oja_events.books.facts import Facts
from oja_events.database import make_engine, ping
from oja_events.prepared import FOR_ITS_VALUES
from oja_events.wakeup import Waker
from ordering.adapters.books import FACTS
from ordering.adapters.read_models import SqlQueries
from ordering.adapters.unit_of_work import SqlUnitOfWork
from ordering.settings import Settings
from ordering.use_cases.queries import Queries

SERVICE = "ordering"
MIGRATIONS = Path(__file__).parent / "adapters" / "migrations"


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the entrypoints work with. `unit_of_work` gives a fresh one for each use."""

    settings: Settings
    engine: Engine
    facts: Facts
    unit_of_work: Callable[..., SqlUnitOfWork]
    queries: Queries

    def check(self) -> None:
        """Raises while the database does not answer."""
        ping(self.engine)


def build(settings: Settings, *, role: str = "http", pool_size: int = 6) -> Dependencies:
    engine = make_engine(
        settings.database_url, application=f"{SERVICE}-{role}", pool_size=pool_size
    )
    sessions = sessionmaker(engine, expire_on_commit=False)
    return Dependencies(
        settings=settings,
        engine=engine,
        facts=FACTS,
        unit_of_work=partial(SqlUnitOfWork, sessions, source=SERVICE, waker=Waker(engine, SERVICE)),
        queries=SqlQueries(sessionmaker(engine.execution_options(**FOR_ITS_VALUES))),
    )
