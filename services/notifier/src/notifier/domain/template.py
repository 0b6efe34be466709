"""What a mail's words are made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Source:
    """A template as somebody wrote it."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """One version of a template; `edited_by` is None for the one that is shipped."""

    version: str
    source: Source
    edited_at: datetime | None = None
    edited_by: str | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """A letter in its final words."""

    subject: str
    text: str
    html: str
    template_version: str


class BadTemplate(Exception):
    """This cannot become a mail. `errors` says why, by part: {"html": ["line 3: ..."]}."""

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        self.errors = errors
        super().__init__("; ".join(f"{part}, {one}" for part in errors for one in errors[part]))
