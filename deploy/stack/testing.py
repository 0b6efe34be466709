"""`./oja test` and `./oja lint`: the checks of the whole repository, on a stack of their own."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from stack.context import Stack
from stack.down import down, reset
from stack.home import CHECKOUT, Home
from stack.ports import free_port
from stack.report import out, step
from stack.up import choose, up

LEVELS = ("unit", "contract", "integration", "e2e", "chaos", "long")
# The Books are looked at when all is done: what they wait for after e2e happens meanwhile.
_ALL = ("unit", "contract", "e2e", "integration")
_NEED_SERVERS = {"integration"}
_NEED_SERVICES = {"e2e", "chaos", "long"}
# What takes hours: chaos, and as many random stories of money as are promised.
_LONG = ("tests/chaos", "tests/integration/money/test_random_stories.py")
_LONG_STEPS = {"MONEY_STEPS": "100000"}
_DESCRIPTION = "OJA_TEST_STACK"


def run(arguments: Sequence[str]) -> int:
    """Run the wanted levels in one pytest, whose closing line comes last; its exit code.

    Style and types are checked first when the unit level is among them, and count as a
    failure of the whole.
    """
    levels, paths, rest = split(arguments)
    style = lint() if "unit" in levels and not paths else 0
    with _stack_for(levels) as environment:
        targets = paths or [target for level in levels for target in _targets(level)]
        environment = (_LONG_STEPS if "long" in levels else {}) | environment
        command = [sys.executable, "-m", "pytest", *targets, *rest]
        tests = subprocess.run(command, cwd=CHECKOUT, env=environment, check=False).returncode
    return tests or style


def nemesis(
    minutes: float, *, seed: int | None, orders_per_minute: float, report_file: Path
) -> NoReturn:
    """Become the nemesis of tests/chaos, which Ctrl-C then reaches. Without a `seed`, a new one."""
    options = {
        "--minutes": minutes,
        "--seed": int(time.time()) if seed is None else seed,
        "--orders-per-minute": orders_per_minute,
        "--report": report_file.absolute(),
    }
    arguments = [str(part) for option in options.items() for part in option]
    command = [sys.executable, "-m", "tests.chaos.nemesis", *arguments]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OJA_")}
    os.chdir(CHECKOUT)
    os.execve(sys.executable, command, environment)  # noqa: S606  # nosec B606


def lint() -> int:
    """ruff, mypy and bandit over the repository; 0 if all is well."""
    sources = ["libs/events/src", "libs/web/src", "deploy"]
    sources += [str(path.relative_to(CHECKOUT)) for path in CHECKOUT.glob("services/*/src")]
    checks = (
        ["ruff", "check"],
        ["ruff", "format", "--check"],
        ["mypy", *sources],
        ["bandit", "-q", "-r", "services", "libs"],
        # The stack's work is to start programs; what it starts through a shell is still judged.
        ["bandit", "-q", "-r", "deploy", "oja", "--skip", "B404,B603"],
    )
    return max(_check(check) for check in checks)


def split(arguments: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """Levels to run, paths asked for instead, and what else goes to pytest."""
    names = list(arguments)
    levels: list[str] = []
    while names and names[0] in (*LEVELS, "all"):
        level = names.pop(0)
        levels += [item for item in (_ALL if level == "all" else (level,)) if item not in levels]
    paths = [name for name in names if (CHECKOUT / name.partition("::")[0]).exists()]
    if paths and not levels:
        levels = [level for level in LEVELS if any(_is_of(level, path) for path in paths)]
    return levels or list(_ALL), paths, [name for name in names if name not in paths]


def _targets(level: str) -> tuple[str, ...]:
    return _LONG if level == "long" else (f"tests/{level}",)


def _is_of(level: str, path: str) -> bool:
    parts = Path(path.partition("::")[0]).parts
    return parts[:2] == ("tests", level) or parts == ("tests",)


@contextmanager
def _stack_for(levels: Sequence[str]) -> Iterator[dict[str, str]]:
    """The environment for pytest, with a stack running that has what these levels need."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OJA_")}
    if not (_NEED_SERVICES | _NEED_SERVERS) & set(levels):
        yield environment
        return
    stack = _test_stack()
    reset(stack)
    choose(
        stack,
        demo=True,
        env_file=None,
        sandbox=True,
        only=None if _NEED_SERVICES & set(levels) else "servers",
    )
    try:
        out.print("The tests' own stack:")
        up(stack)
        yield environment | {_DESCRIPTION: str(stack.home.description)}
    finally:
        down(stack, quiet=True)


def _test_stack() -> Stack:
    """Beside the running one: another home, other ports."""
    ports = {"OJA_PORT": str(free_port()), "OJA_SANDBOX_PORT": str(free_port())}
    return Stack(Home(CHECKOUT / ".oja-test"), env=ports)


def _check(command: list[str]) -> int:
    program, *arguments = command
    with step(" ".join(command[:2]) if program == "ruff" else program):
        done = subprocess.run(
            [sys.executable, "-m", program, *arguments],
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        out.print(done.stdout + done.stderr, markup=False)
    return done.returncode
