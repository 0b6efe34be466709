"""The stack that the nemesis falls upon: all of Oja, on data and ports of its own, with a link in
each connection of a service to Postgres, RabbitMQ and Redis."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import psycopg2

from stack import envfiles
from stack.context import Stack
from stack.down import down, reset
from stack.home import CHECKOUT, Home
from stack.ports import HOST, free_port
from stack.programs import everything, services
from stack.readiness import wait_for
from stack.report import step
from stack.services import SERVICES
from stack.up import choose, up
from tests.chaos.nemesis.links import Links, links
from tests.support.shop import Shop

_READY_WITHIN = 600.0
_LINKED = {"DATABASE_URL": "postgres", "BROKER_URL": "rabbitmq", "REDIS_URL": "redis"}
# All customers come from one address; what keeps burglars out is tried elsewhere. Who never pays
# shall not be waited for half an hour.
_SETTINGS = {
    "OJA_CALLER_RATE": "0",
    **{name: "1000000 per second" for name in envfiles.OVERRIDES if name.startswith("LIMIT_")},
    "ARGON2_MEMORY_KIB": "8",
    "ARGON2_TIME_COST": "1",
    "ARGON2_PARALLELISM": "1",
    "ARGON2_CONCURRENCY": "8",
    "PAYMENT_WINDOW_MINUTES": "5",
}


@dataclass(frozen=True)
class Arena:
    stack: Stack
    links: Links

    @cached_property
    def shop(self) -> Shop:
        return Shop(self.stack.home.description)

    def oja(self, *arguments: str) -> str:
        """What the command prints; raises CalledProcessError if it fails."""
        done = subprocess.run(
            [sys.executable, "-m", "stack", *arguments],
            env=os.environ | {"OJA_HOME": str(self.stack.home.path)},
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        return done.stdout

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Read, past the services."""
        connection = psycopg2.connect(self.shop.description["postgres"]["superuser_dsn"])
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement, values)
                rows: list[tuple[Any, ...]] = cursor.fetchall()
        finally:
            connection.close()
        return rows


@contextmanager
def arena() -> Iterator[Arena]:
    """Up and ready. Ended afterwards; its data and logs stay for those who wonder."""
    ports = {"OJA_PORT": str(free_port()), "OJA_SANDBOX_PORT": str(free_port())}
    stack = Stack(Home(CHECKOUT / ".oja-nemesis"), env=ports)
    reset(stack)
    choose(stack, demo=True, env_file=None, sandbox=True, only=None)
    stack.choose(overrides=_SETTINGS)
    with links() as between:
        try:
            up(stack)
            _link(stack, between)
            yield Arena(stack, between)
        finally:
            with step("Stopping"):
                down(stack, quiet=True)


def _link(stack: Stack, between: Links) -> None:
    for service in SERVICES:
        file = stack.home.env / f"{service}.env"
        variables = envfiles.read(file)
        for name, server in _LINKED.items():
            port = stack.ports[server]
            link = between.add(f"{service} → {server}", port)
            variables[name] = variables[name].replace(f"{HOST}:{port}", f"{HOST}:{link}")
        file.write_text(envfiles.text(variables))
    programs, changing = everything(stack), services(stack)
    with step("Services, behind links"):
        names = [program.name for program in changing]
        stack.supervisor.configure(programs, stack.account, keep=True, but=names)
        stack.supervisor.apply()
        wait_for(stack, changing, within=_READY_WITHIN)
