"""The databases of a stack's services, each with the rights of its own service."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError, ProgrammingError

from oja_events.database import make_engine
from stack.context import Stack
from stack.failure import Failure
from stack.servers import postgres
from stack.services import SERVICES


class Databases:
    """One engine per service; connects on first use."""

    def __init__(self, stack: Stack) -> None:
        self._engines = {service: _engine(stack, service) for service in SERVICES}

    def __getitem__(self, service: str) -> Engine:
        if service not in self._engines:
            raise Failure(f"There is no service {service!r}; there is {', '.join(SERVICES)}.")
        return self._engines[service]

    def dispose(self) -> None:
        for engine in self._engines.values():
            engine.dispose()


@contextmanager
def databases() -> Iterator[Databases]:
    """The databases of the stack that is meant; what people can act on becomes a Failure."""
    found = Databases(Stack())
    try:
        yield found
    except OperationalError:
        raise Failure("Postgres does not answer; start the stack with ./oja up.") from None
    except ProgrammingError as error:
        raise Failure(f"The tables are not as expected; run ./oja up. {error.orig}") from None
    finally:
        found.dispose()


def _engine(stack: Stack, service: str) -> Engine:
    url = postgres.dsn(stack, service).replace("postgresql://", "postgresql+psycopg2://", 1)
    return make_engine(url, application="oja")
