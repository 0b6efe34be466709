"""Commands of the services that run once and end: migrations, queues, seed, administrators."""

import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from stack import envfiles
from stack.addresses import addresses
from stack.context import Stack
from stack.failure import Failure
from stack.processes import Task
from stack.surroundings import surroundings

_TIMEOUT = 300


def run_all(stack: Stack, tasks: Iterable[Task]) -> None:
    """Run them side by side; the first that fails is told about after all have ended."""
    with ThreadPoolExecutor(max_workers=5) as pool:
        running = [pool.submit(run, stack, task) for task in tasks]
    for done in running:
        done.result()


def ask(stack: Stack, task: Task, *arguments: str) -> str:
    """Run one to its end; what it printed."""
    run(stack, task, *arguments)
    return _log(stack, task).read_text()


def run(stack: Stack, task: Task, *arguments: str, given: str = "") -> None:
    """Run one to its end, with `given` on its standard input."""
    command = [part.format(python=sys.executable) for part in task.command]
    log = _log(stack, task)
    with log.open("w") as out:
        done = subprocess.run(
            [*stack.account.prefix, *command, *arguments],
            input=given,
            text=True,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=_environment(stack, task),
            timeout=_TIMEOUT,
            check=False,
        )
    if done.returncode:
        raise Failure(f"{task.service}: {task.name} failed: {_last_line(log)}", log=log)


def _last_line(log: Path) -> str:
    """Where a refusal says why, and a traceback what it is about."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it did not say why."


def _log(stack: Stack, task: Task) -> Path:
    return stack.home.log / f"{task.service}-{task.name}.log"


def admin_command(service: str, name: str) -> Task:
    """A command of that service's admin entry point."""
    return Task(service, name, ("{python}", "-m", f"{service}.entrypoints.admin", name), ())


def _environment(stack: Stack, task: Task) -> dict[str, str]:
    at = addresses(stack)
    variables = surroundings() | envfiles.environment(task.service, at)
    if task.name == "migrate":
        variables |= envfiles.migration_environment(task.service, at)
    return variables
