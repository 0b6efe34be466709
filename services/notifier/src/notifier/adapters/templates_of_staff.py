"""Versions of templates in Postgres: rows are only added, a return to the shipped one included."""

from typing import Any

from sqlalchemy import Row, bindparam, func, select, text
from sqlalchemy.orm import Session

from notifier.adapters.tables import TemplateVersionRow
from notifier.adapters.wording import shipped
from notifier.domain.letter import Template
from notifier.domain.template import Edition, Source

_VERSIONS = TemplateVersionRow.metadata.tables[TemplateVersionRow.__tablename__]

_LOCK = text("SELECT pg_advisory_xact_lock(:templates, hashtext(:template))")
# Asked for every mail that is written.
_NEWEST = (
    select(*_VERSIONS.columns)
    .where(_VERSIONS.c.template == bindparam("template"))
    .order_by(_VERSIONS.c.number.desc())
    .limit(1)
)
_EDITED = "edited-"
_TEMPLATES_LOCK = 0x74706C73  # "tpls": the first half of the locks that editors hold


class SqlTemplateRepository:
    def __init__(self, session: Session) -> None:
        self._session = session

    def current(self, template: Template) -> Edition:
        row = self._newest(template)
        return edition_of(row) or shipped(template)

    def edition(self, template: Template, version: str) -> Edition:
        """This version, or what is shipped now in the place of what was shipped earlier."""
        number = version.removeprefix(_EDITED)
        if number == version:
            return shipped(template)
        row = self._session.get(TemplateVersionRow, (template.value, int(number)))
        return edition_of(row) or shipped(template)

    def lock(self, template: Template) -> Edition:
        keys = {"templates": _TEMPLATES_LOCK, "template": template.value}
        self._session.execute(_LOCK, keys)
        return self.current(template)

    def put(self, template: Template, source: Source, *, by: str) -> None:
        if self.current(template).source != source:
            self._add(template, source, by)

    def withdraw(self, template: Template, *, by: str) -> None:
        if self.current(template).edited_by is not None:
            self._add(template, None, by)

    def _add(self, template: Template, source: Source | None, by: str) -> None:
        newest = self._newest(template)
        self._session.add(
            TemplateVersionRow(
                template=template.value,
                number=newest.number + 1 if newest else 1,
                subject=source.subject if source else None,
                text=source.text if source else None,
                html=source.html if source else None,
                edited_at=self._session.execute(select(func.now())).scalar_one(),
                edited_by=by,
            )
        )
        self._session.flush()

    def _newest(self, template: Template) -> Row[Any] | None:
        return self._session.execute(_NEWEST, {"template": template.value}).first()


def edition_of(row: Row[Any] | TemplateVersionRow | None) -> Edition | None:
    """None where staff have left, or returned to, what is shipped."""
    if row is None or row.subject is None or row.text is None or row.html is None:
        return None
    return Edition(
        version=f"{_EDITED}{row.number}",
        source=Source(row.subject, row.text, row.html),
        edited_at=row.edited_at,
        edited_by=row.edited_by,
    )
