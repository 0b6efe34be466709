"""From the definition of processes to the programs of one stack, with ports and numbers."""

import sys
from collections.abc import Iterable

from stack import sources
from stack.context import Stack
from stack.failure import Failure
from stack.home import CHECKOUT
from stack.ports import HOST
from stack.processes import Process, processes
from stack.program import Program
from stack.servers import nginx, postgres, rabbitmq, redis

_BACKGROUND = 40
_HTTP = 41
# What was promised goes before what is being asked: docs/adr/0024-precedence.md.
_HTTP_NICENESS = 10


def servers(stack: Stack) -> list[Program]:
    """What the services need, and the sandbox."""
    return [
        _guardian(stack),
        *rabbitmq.programs(stack),
        postgres.program(stack),
        redis.program(stack),
        _sandbox(stack),
    ]


def services(stack: Stack) -> list[Program]:
    """Every process of every service, as many of each as was asked for."""
    return [
        program
        for process in processes()
        for number in range(1, count(stack, process) + 1)
        for program in [_instance(stack, process, number)]
    ]


def everything(stack: Stack) -> list[Program]:
    if stack.choices.only_servers:
        return servers(stack)
    return [*servers(stack), *services(stack), nginx.program(stack)]


def count(stack: Stack, process: Process) -> int:
    return stack.choices.counts.get(f"{process.service}.{process.role}", 1)


def upstreams(stack: Stack) -> dict[str, list[str]]:
    """Where each service answers HTTP, as host:port."""
    found: dict[str, list[str]] = {}
    for program in services(stack):
        if program.role == "http":
            found.setdefault(program.service, []).append(
                f"{stack.host(program.name)}:{program.port}"
            )
    return found


def matching(programs: Iterable[Program], wish: str) -> list[str]:
    """Names of what a person means by `ordering`, `ordering.http` or `ordering-http-1`."""
    items = list(programs)
    name = wish.replace(".", "-")
    found = [
        item.name
        for item in items
        if name in (item.service, item.name, f"{item.service}-{item.role}")
    ]
    if not found:
        known = ", ".join(dict.fromkeys(item.service for item in items))
        raise Failure(f"There is no {wish!r} in this stack; it has {known}.")
    return found


def _instance(stack: Stack, process: Process, number: int) -> Program:
    name = f"{process.name}-{number}"
    port = stack.ports[name]
    values = {"python": sys.executable, "host": HOST, "port": port}
    health = {"HEALTH_HOST": HOST, "HEALTH_PORT": str(port)} if process.role != "http" else {}
    return Program(
        name=name,
        service=process.service,
        role=process.role,
        command=tuple(part.format(**values) for part in process.command),
        stage=_HTTP if process.role == "http" else _BACKGROUND,
        port=port,
        ready=process.ready,
        env=health | {"PYTHONUNBUFFERED": "1"},
        env_file=str(stack.home.env / f"{process.service}.env"),
        code=sources.fingerprint(sources.SERVICES),
        needs_ports=tuple(stack.ports[need] for need in process.needs),
        niceness=_HTTP_NICENESS if process.role == "http" else 0,
    )


def _guardian(stack: Stack) -> Program:
    """Not leashed: it is the one that must outlive supervisord."""
    return Program(
        name="guardian",
        service="guardian",
        role="guardian",
        command=(sys.executable, "-m", "stack.guardian", str(stack.home.path)),
        env={"PYTHONPATH": str(CHECKOUT / "deploy")},
        stage=0,
        ready="running",
        leashed=False,
    )


def _sandbox(stack: Stack) -> Program:
    port, smtp_port = stack.ports["sandbox"], stack.ports["sandbox-smtp"]
    options = {
        "--host": HOST,
        "--port": str(port),
        "--smtp-port": str(smtp_port),
        "--public-url": f"http://localhost:{port}",
        "--webhook-url": f"http://{HOST}:{stack.ports['gateway']}/api/paystack/webhook",
        "--state-dir": str(stack.home.data / "sandbox"),
    }
    arguments = [part for option in options.items() for part in option]
    return Program(
        name="sandbox",
        service="sandbox",
        role="sandbox",
        command=(sys.executable, "-m", "sandbox", *arguments),
        stage=30,
        port=port,
        ready="/",
        env={"PYTHONUNBUFFERED": "1"},
        env_file=str(stack.home.env / "sandbox.env"),
        code=sources.fingerprint(sources.SANDBOX),
    )
