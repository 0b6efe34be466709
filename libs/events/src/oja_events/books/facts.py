"""What a service shows of itself to an auditor: named SELECTs, each of one snapshot and bounded.

A statement may use :ids (texts), :after (the key of the last row that the caller has, as text),
:since and :limit. Its rows travel as JSON, so they are the same from a database and over HTTP.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from oja_events.books.journal_facts import JOURNAL
from oja_events.books.report import SourceAway
from oja_events.prepared import FOR_ITS_VALUES

PAGE = 500
Fact = dict[str, Any]
Facts = Mapping[str, str]


class UnknownFact(Exception):
    """The service shows nothing of that name."""


class Sources(Protocol):
    """Where the facts of all services are."""

    def rows(
        self,
        service: str,
        fact: str,
        *,
        ids: Sequence[str] = (),
        after: str = "",
        since: datetime | None = None,
        limit: int = PAGE,
    ) -> list[Fact]:
        """What the service shows. Raises SourceAway."""


def read(
    connection: Connection,
    facts: Facts,
    name: str,
    *,
    ids: Sequence[str] = (),
    after: str = "",
    since: datetime | None = None,
    limit: int = PAGE,
) -> list[Fact]:
    """The rows of one fact, of a service's own or of the journal that all have. Raises
    UnknownFact."""
    statement = JOURNAL.get(name) or facts.get(name)
    if statement is None:
        raise UnknownFact(name)
    # The statement is ours; what callers say is bound.
    query = text(f"SELECT to_jsonb(fact) FROM ({statement}) AS fact")  # noqa: S608  # nosec B608
    values = {"ids": list(ids), "after": after, "since": since, "limit": limit}
    used = {name: values[name] for name in query._bindparams}
    return list(connection.execute(query, used, execution_options=FOR_ITS_VALUES).scalars())


class SqlSources:
    """Facts read from the databases themselves: {service: (engine, its facts)}."""

    def __init__(self, services: Mapping[str, tuple[Engine, Facts]]) -> None:
        self._services = services

    def rows(
        self,
        service: str,
        fact: str,
        *,
        ids: Sequence[str] = (),
        after: str = "",
        since: datetime | None = None,
        limit: int = PAGE,
    ) -> list[Fact]:
        engine, facts = self._services[service]
        try:
            with engine.connect() as connection:
                return read(connection, facts, fact, ids=ids, after=after, since=since, limit=limit)
        except SQLAlchemyError as error:
            raise SourceAway(f"{service}: {str(error).splitlines()[0]}") from None


def pages(
    sources: Sources, service: str, fact: str, key: str, *, after: str, before: str = "g"
) -> Iterator[list[Fact]]:
    """A fact page by page in the order of its key, beyond `after` and short of `before`."""
    while rows := sources.rows(service, fact, after=after):
        wanted = [row for row in rows if row[key] < before]
        if wanted:
            yield wanted
        if len(rows) < PAGE or len(wanted) < len(rows):
            return
        after = rows[-1][key]


def by_ids(
    sources: Sources, service: str, fact: str, key: str, ids: Iterable[str]
) -> dict[str, Fact]:
    """The rows about these ids, by id."""
    wanted = sorted(set(ids))
    found = {}
    for start in range(0, len(wanted), PAGE):
        for row in sources.rows(service, fact, ids=wanted[start : start + PAGE]):
            found[row[key]] = row
    return found


def first_id(moment: datetime) -> str:
    """The lowest UUIDv7 of that millisecond: ids begin with their time."""
    return str(UUID(int=max(0, int(moment.timestamp() * 1000)) << 80))
