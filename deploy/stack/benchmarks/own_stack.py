"""The stack that is measured: the processes of production, on data and ports of their own."""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from stack import envfiles, fetch, tasks
from stack.addresses import addresses
from stack.context import Stack
from stack.down import down, reset
from stack.home import CHECKOUT, Home
from stack.ports import free_port
from stack.processes import tasks as all_tasks
from stack.program import Program
from stack.programs import services, upstreams
from stack.readiness import wait_for
from stack.report import step
from stack.servers import nginx, postgres, redis
from stack.up import choose, up

_WITHIN = 90

# What statements cost, and when each transaction committed, is read from Postgres itself.
_COUNTING = """
shared_preload_libraries = 'pg_stat_statements'
track_commit_timestamp = on
"""
# All load comes from one address, and from fewer people than it stands for. They are still counted.
_A_CROWD = {"OJA_CALLER_RATE": "0"} | {
    name: "1000000 per second" for name in envfiles.OVERRIDES if name.startswith("LIMIT_")
}


@contextmanager
def own_stack(wanted: Collection[str] | None) -> Iterator[Stack]:
    """Postgres, Redis, the gateway and what serves HTTP of these services; or with None all of
    Oja, on a Postgres that counts. Gone at the end."""
    ports = {"OJA_PORT": str(free_port()), "OJA_SANDBOX_PORT": str(free_port())}
    stack = Stack(Home(CHECKOUT / f".oja-bench-{os.getpid()}"), env=ports)
    reset(stack)
    stack.home.make()
    try:
        if wanted is None:
            _start_all(stack)
        else:
            with step("The benchmark's own stack"):
                _start(stack, wanted)
        yield stack
    finally:
        down(stack, quiet=True)
        reset(stack)


def _start_all(stack: Stack) -> None:
    fetch.missing(stack.home.log)
    choose(stack, demo=False, env_file=None, sandbox=True, only=None)
    stack.choose(overrides=_A_CROWD)
    postgres.prepare(stack)
    with (stack.home.data / "postgres" / "postgresql.conf").open("a") as settings:
        settings.write(_COUNTING)
    up(stack)


def _start(stack: Stack, wanted: Collection[str]) -> None:
    fetch.missing(stack.home.log)
    stack.choose(overrides=_A_CROWD)
    envfiles.write(stack.home.env, addresses(stack))
    postgres.prepare(stack)
    redis.prepare(stack)
    nginx.prepare(stack, upstreams(stack))
    servers = [postgres.program(stack), redis.program(stack)]
    stack.supervisor.configure(servers, stack.account)
    stack.supervisor.start()
    wait_for(stack, servers, within=_WITHIN)
    postgres.provision(stack)
    tasks.run_all(stack, [t for t in all_tasks() if t.service in wanted and t.name == "migrate"])
    shown = [*_http(stack, wanted), nginx.program(stack)]
    stack.supervisor.configure([*servers, *shown], stack.account)
    stack.supervisor.apply()
    wait_for(stack, shown, within=_WITHIN)


def _http(stack: Stack, wanted: Collection[str]) -> list[Program]:
    return [each for each in services(stack) if each.service in wanted and each.role == "http"]
