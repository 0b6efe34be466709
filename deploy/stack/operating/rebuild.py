"""`./oja rebuild`: a read model made anew from what others told, while the shop runs."""

from stack import tasks
from stack.context import Stack
from stack.failure import Failure
from stack.report import out, step

# The projection and the service that keeps it.
PROJECTIONS = {"products": "ordering"}


def rebuild(projection: str) -> None:
    """Have the service that keeps the projection rebuild it, and say what it found."""
    if projection not in PROJECTIONS:
        raise Failure(f"There is no projection {projection!r}; there is {', '.join(PROJECTIONS)}.")
    command = tasks.admin_command(PROJECTIONS[projection], "rebuild")
    with step(f"Rebuilding {projection}"):
        told = tasks.ask(Stack(), command, "--projection", projection)
    out.print(told.strip())
