"""`./oja rebuild`: a read model made anew from what others told, while the shop runs."""

from stack import tasks
from stack.context import Stack
from stack.control import require_running
from stack.failure import Failure
from stack.report import out, step

# The projection: the service that keeps it, and whose news it is made of.
PROJECTIONS = {"products": ("ordering", "catalog")}


def rebuild(projection: str) -> None:
    """Have the service that keeps the projection rebuild it, and say what it found.

    Before, the owner tells anew what is older than its journal, so that nothing is left out.
    """
    if projection not in PROJECTIONS:
        raise Failure(f"There is no projection {projection!r}; there is {', '.join(PROJECTIONS)}.")
    keeper, owner = PROJECTIONS[projection]
    stack = Stack()
    require_running(stack)
    with step(f"Rebuilding {projection}"):
        retold = tasks.ask(stack, tasks.admin_command(owner, "retell"))
        rebuilt = tasks.ask(
            stack, tasks.admin_command(keeper, "rebuild"), "--projection", projection
        )
    out.print(f"{retold.strip()}, {rebuilt.strip()}")
