"""Files at the image store that no product shows, in Postgres."""

from datetime import datetime

from sqlalchemy import delete, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from catalog.adapters.tables import StrayImageRow

# Claimed by being put off, longer each time, so that no lock is held while the store is asked. Two
# minutes are more than STRAYS_AT_ONCE calls take that are waited for in vain.
_CLAIM = text("""
    UPDATE stray_images SET attempts = attempts + 1,
        remove_at = now() + least(interval '1 day', interval '2 minutes' * 2 ^ least(attempts, 10))
    WHERE public_id IN (
        SELECT public_id FROM stray_images WHERE remove_at <= now()
        ORDER BY remove_at LIMIT :most FOR UPDATE SKIP LOCKED
    )
    RETURNING public_id
""")


class SqlStrayImages:
    def __init__(self, session: Session) -> None:
        self._session = session

    def note(self, public_id: str, *, remove_at: datetime) -> None:
        self._session.execute(
            insert(StrayImageRow).values(public_id=public_id, remove_at=remove_at, attempts=0)
        )

    def claim(self, most: int) -> list[str]:
        return [*self._session.scalars(_CLAIM, {"most": most})]

    def forget(self, public_id: str) -> bool:
        gone = delete(StrayImageRow).where(StrayImageRow.public_id == public_id)
        return self._session.scalar(gone.returning(StrayImageRow.public_id)) is not None
