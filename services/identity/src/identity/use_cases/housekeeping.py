"""Throwing away what nobody can use any more."""

from datetime import timedelta

from identity.use_cases.ports import UnitOfWork

BATCH = 1000


def purge_expired(uow: UnitOfWork, *, session_idle: timedelta) -> int:
    """One batch of expired refresh tokens, sessions and one-time links; how many there were."""
    with uow:
        purged = uow.refresh_tokens.purge(BATCH)
        purged += uow.sessions.purge(BATCH, idle=session_idle)
        purged += uow.one_time_requests.purge(BATCH)
        uow.commit()
    return purged
