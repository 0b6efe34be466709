"""`./oja down`: ends every process of the stack, those that should not be there included."""

import shutil
from collections import defaultdict
from contextlib import nullcontext

from stack import belongings
from stack.context import Stack
from stack.failure import Failure
from stack.home import read_json
from stack.lock_file import exclusive
from stack.readiness import wait_until
from stack.report import step


def down(stack: Stack, *, quiet: bool = False) -> bool:
    """End the stack; False if nothing of it was running."""
    with exclusive(stack.home):
        stack.wanted = False
        if not belongings.belongings(stack.home.path):
            return False
        with nullcontext() if quiet else step("Stopping"):
            _stop_in_turn(stack)
            stack.supervisor.shutdown()
            _end_the_rest(stack)
        return True


def _stop_in_turn(stack: Stack) -> None:
    """The guardian first, then from the gateway down to the databases."""
    if stack.supervisor.running():
        stack.supervisor.stop(["guardian"])
        stages = defaultdict(list)
        for name, specification in read_json(stack.home.programs).items():
            stages[specification["stage"]].append(name)
        for stage in sorted(stages, reverse=True):
            stack.supervisor.stop(stages[stage])


def _end_the_rest(stack: Stack) -> None:
    home = stack.home.path
    wait_until(lambda: not belongings.belongings(home), within=5, every=0.05)
    belongings.end([item.pid for item in belongings.belongings(home)], grace=5)
    left = belongings.belongings(home)
    if left:
        raise Failure(f"Still running: {', '.join(str(item.pid) for item in left)}.")


def reset(stack: Stack) -> None:
    """End the stack and delete what it made; what was installed for the checkout stays."""
    down(stack)
    home = stack.home
    for folder in (home.data, home.run, home.log, home.env, home.credentials, home.socket.parent):
        shutil.rmtree(folder, ignore_errors=True)
    for file in home.path.glob("*.json"):
        file.unlink()
