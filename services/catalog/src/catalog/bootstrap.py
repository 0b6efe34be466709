"""The composition root: settings in, everything wired out. Nothing connects before first use."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import sessionmaker

from catalog.adapters.answer_memory import RedisAnswers
from catalog.adapters.books import FACTS
from catalog.adapters.bulk_queries import SqlBulkQueries
from catalog.adapters.freshness import MOST_SECONDS_OLD, Freshness
from catalog.adapters.image_store import CloudinaryStore, NoImageStore
from catalog.adapters.pictures import PillowPictures
from catalog.adapters.read_models import SqlQueries
from catalog.adapters.review_queries import SqlReviewQueries
from catalog.adapters.unit_of_work import SqlUnitOfWork
from catalog.settings import Settings
from catalog.use_cases.ports import ImageStore, Pictures
from catalog.use_cases.queries import Answers, BulkQueries, Queries, ReviewQueries
from oja_events.books.facts import Facts
from oja_events.database import make_engine, ping
from oja_events.prepared import FOR_ITS_VALUES
from oja_events.wakeup import Waker

SERVICE = "catalog"
MIGRATIONS = Path(__file__).parent / "adapters" / "migrations"


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the entrypoints work with. `unit_of_work` gives a fresh one for each use."""

    settings: Settings
    engine: Engine
    facts: Facts
    unit_of_work: Callable[..., SqlUnitOfWork]
    queries: Queries
    reviews: ReviewQueries
    bulk: BulkQueries
    pictures: Pictures
    images: ImageStore
    answers: Answers | None

    def check(self) -> None:
        """Raises while the database does not answer."""
        ping(self.engine)


def build(settings: Settings, *, role: str = "http", pool_size: int = 6) -> Dependencies:
    connect = partial(
        make_engine, settings.database_url, application=f"{SERVICE}-{role}", pool_size=pool_size
    )
    engine = connect()
    sessions = sessionmaker(engine, expire_on_commit=False)
    answers = RedisAnswers(settings.redis_url, Freshness(engine)) if settings.redis_url else None
    return Dependencies(
        settings=settings,
        engine=engine,
        facts=FACTS,
        unit_of_work=partial(
            SqlUnitOfWork,
            sessions,
            source=SERVICE,
            waker=Waker(engine, SERVICE),
            announce=_announcement(answers, role),
        ),
        queries=SqlQueries(
            engine.execution_options(**FOR_ITS_VALUES),
            connect(autocommit=True, prepared=False),
        ),
        reviews=SqlReviewQueries(sessionmaker(engine.execution_options(**FOR_ITS_VALUES))),
        bulk=SqlBulkQueries(sessions),
        pictures=PillowPictures(),
        images=_image_store(settings),
        answers=answers,
    )


def _announcement(answers: Answers | None, role: str) -> Callable[[], None]:
    """How to let everybody know of a commit. What events change nobody waits for, and all see it
    MOST_SECONDS_OLD later."""
    if answers is None or role == "consumer":
        return lambda: None
    return partial(_announce, answers, patient=role == "http")


def _announce(answers: Answers, *, patient: bool) -> None:
    """If it cannot be said, wait until all have asked by themselves: whoever is told that his
    change is done must not see the state before it."""
    if not answers.announce() and patient:
        time.sleep(MOST_SECONDS_OLD)


def _image_store(settings: Settings) -> ImageStore:
    if not settings.cloudinary_url:
        return NoImageStore()
    return CloudinaryStore(
        settings.cloudinary_url,
        upload_prefix=settings.cloudinary_upload_prefix,
        delivery_url=settings.cloudinary_delivery_url,
    )
