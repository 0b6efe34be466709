"""The staff as identity tells of them, and what they wish."""

from contextlib import suppress
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from notifier.adapters.tables import AlertWishesRow, StaffRow
from notifier.domain.letter import BadAddress, Recipient, Template
from notifier.domain.staff import NEEDED, Member, Wishes

_LOCK = text("SELECT pg_advisory_xact_lock(:wishes, hashtext(:user_id))")
_WISHES_LOCK = 0x77697368  # "wish": the first half of the locks on what somebody wishes


class SqlStaffDirectory:
    """`always` are addresses that hear of everything, whoever reads them."""

    def __init__(self, session: Session, *, always: tuple[str, ...]) -> None:
        self._session = session
        self._always = always

    def to_alert(self, template: Template) -> list[Recipient]:
        wanted = (
            select(StaffRow)
            .outerjoin(AlertWishesRow, AlertWishesRow.user_id == StaffRow.user_id)
            .where(
                StaffRow.email.is_not(None),
                StaffRow.permissions.contains(sorted(NEEDED[template])),
                ~func.coalesce(AlertWishesRow.muted, []).contains([template.value]),
            )
            .order_by(StaffRow.user_id)
        )
        addressed = {address.lower(): Recipient(address) for address in self._always}
        for row in self._session.scalars(wanted):
            # One who was kept when more passed for an address must not silence all the others.
            with suppress(BadAddress):
                who = Recipient(row.email or "", row.name or "", row.user_id)
                addressed.setdefault(who.email.lower(), who)
        return list(addressed.values())

    def keep(self, member: Member) -> bool:
        values = {
            "user_id": member.user_id,
            "version": member.version,
            "email": member.who.email if member.who else None,
            "name": member.who.name if member.who else None,
            "permissions": sorted(member.permissions),
        }
        statement = (
            upsert(StaffRow)
            .values(values)
            .on_conflict_do_update(
                index_elements=["user_id"],
                set_=values,
                where=StaffRow.version <= member.version,
            )
        )
        return self._session.execute(statement.returning(StaffRow.user_id)).first() is not None

    def lock_wishes(self, user_id: UUID) -> Wishes:
        self._session.execute(_LOCK, {"wishes": _WISHES_LOCK, "user_id": str(user_id)})
        return read_wishes(self._session, user_id)

    def put_wishes(self, user_id: UUID, muted: frozenset[Template]) -> None:
        before = read_wishes(self._session, user_id)
        if muted == before.muted:
            return
        values = {"version": before.version + 1, "muted": sorted(muted)}
        statement = upsert(AlertWishesRow).values({"user_id": user_id, **values})
        self._session.execute(
            statement.on_conflict_do_update(index_elements=["user_id"], set_=values)
        )


def read_wishes(session: Session, user_id: UUID) -> Wishes:
    row = session.get(AlertWishesRow, user_id, populate_existing=True)
    if row is None:
        return Wishes(frozenset())
    known = {template.value for template in NEEDED}
    return Wishes(frozenset(Template(name) for name in row.muted if name in known), row.version)
