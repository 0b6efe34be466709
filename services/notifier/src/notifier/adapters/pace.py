"""A pace for all senders together: no more mails in a second than the mail server wants."""

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from notifier.use_cases.errors import TooFast

# Whoever is a little late does not make all others late: one gap may be caught up, no more.
_STEP = text("""
    UPDATE mail_pace
    SET next_at = greatest(next_at, clock_timestamp() - CAST(:gap AS interval))
        + CAST(:gap AS interval)
    WHERE next_at <= clock_timestamp() RETURNING id
""")
_LEFT = text("SELECT extract(epoch FROM next_at - clock_timestamp()) FROM mail_pace")


class Pace:
    """`per_second` mails, 0 for as many as there are. A step that is not committed is not taken."""

    def __init__(self, per_second: float) -> None:
        self._gap = timedelta(seconds=1 / per_second) if per_second else None

    def step(self, session: Session) -> None:
        """Take the right to send one mail, holding all others until the transaction ends.

        Raises TooFast.
        """
        if self._gap is None:
            return
        if session.execute(_STEP, {"gap": self._gap}).first() is None:
            raise TooFast(max(0.0, float(session.execute(_LEFT).scalar_one())))
