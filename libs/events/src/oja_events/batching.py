"""Many events in one transaction: all of them have their effects and their notes, or none has.

The disk is waited for once, and the inbox is written in one statement. It is done in the hope that
nothing is in the way; whatever is, the caller undoes it all and takes one event at a time.
"""

from collections.abc import Callable, Sequence

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from oja_events import inbox
from oja_events.unit_of_work import Shared, SqlTransaction

# Two batches may want the same rows in different orders. That is noticed sooner than by Postgres,
# which looks for deadlocks after a second.
PATIENCE = "250ms"


class NotKept(Exception):
    """A handler left without a commit: what it did must not be kept, so nothing is."""


def run_all(
    engine: Engine,
    units: Sequence[SqlTransaction],
    run: Callable[[SqlTransaction], None],
) -> None:
    """`run` each unit of work, in this order; those whose event was handled before are left out.

    Each must enter its unit once and commit it once. Whatever is raised undoes them all.
    """
    events = {unit: unit.handling for unit in units}
    with Session(engine, expire_on_commit=False) as session:
        new = inbox.note_all(
            session, [event for event in events.values() if event], patience=PATIENCE
        )
        if not new:
            return
        shared = Shared(session, next(iter(new.values())))
        for unit, event in events.items():
            if event and event.id in new:
                unit.join(shared)
                run(unit)
                if unit not in shared.kept:
                    raise NotKept(event.type)
        shared.commit()
