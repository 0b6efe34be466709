"""Templates, and letters put into words by them.

A template is two files: `<name>.txt`, whose first line is `Subject: ...`, and `<name>.html`. They
see the fields of the event that they are about. Whatever customers wrote is data to them: it is
never compiled, comes out on one line, and is escaped in HTML.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2 import Template as JinjaTemplate
from jinja2.sandbox import ImmutableSandboxedEnvironment

from notifier.adapters.formats import FILTERS
from notifier.domain.letter import Letter, Template
from notifier.domain.mail import LINK_PLACE
from notifier.domain.plain_text import one_line
from notifier.use_cases.ports import TemplateEntry

SHIPPED = Path(__file__).parent / "templates"
SHOP = "Oja"
_SHARED = ("layout.txt", "layout.html", "parts.txt", "parts.html")


@dataclass(frozen=True, slots=True)
class Source:
    """A template as somebody wrote it."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Words:
    """A letter in its final words."""

    subject: str
    text: str
    html: str
    template_version: str


def word(letter: Letter) -> Words:
    """Raises jinja2.TemplateError when a template does not fit the letter's facts."""
    variables = {**plain(letter.facts), "recipient_name": letter.to.name, "shop": SHOP}
    if letter.link_request:
        variables["link"] = LINK_PLACE
    source = shipped(letter.template)
    variables["subject"] = subject = one_line(_render(_text, source.subject, variables))
    return Words(
        subject=subject,
        text=_tidy(_render(_text, source.text, variables)),
        html=_render(_html, source.html, variables),
        template_version=shipped_version(letter.template),
    )


def plain(facts: Mapping[str, object]) -> dict[str, Any]:
    """The facts as JSON has them, every text of them on one harmless line."""
    harmless: dict[str, Any] = _harmless(msgspec.to_builtins(facts))
    return harmless


@cache
def shipped(template: Template) -> Source:
    head, _, text = (SHIPPED / f"{template}.txt").read_text("utf-8").partition("\n")
    html = (SHIPPED / f"{template}.html").read_text("utf-8")
    return Source(head.removeprefix("Subject: "), text, html)


@cache
def shipped_version(template: Template) -> str:
    """Changes with every file that the mail is made of."""
    files = [f"{template}.txt", f"{template}.html", *_SHARED]
    digest = hashlib.sha256(b"\0".join((SHIPPED / name).read_bytes() for name in files))
    return f"shipped-{digest.hexdigest()[:12]}"


class ShippedTemplates:
    def all(self) -> list[TemplateEntry]:
        return [
            TemplateEntry(
                name=template.value,
                audience=template.audience,
                version=shipped_version(template),
                subject=shipped(template).subject,
            )
            for template in sorted(Template)
        ]


def _render(environment: Environment, source: str, variables: Mapping[str, object]) -> str:
    return _compiled(environment, source).render(variables)


@cache
def _compiled(environment: Environment, source: str) -> JinjaTemplate:
    return environment.from_string(source)


def _tidy(text: str) -> str:
    """One empty line where the template's own lines left several."""
    return re.sub(r"\n{3,}", "\n\n", text.strip()) + "\n"


def _environment(*, autoescape: bool) -> Environment:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(SHIPPED),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    return environment


_html = _environment(autoescape=True)
_text = _environment(autoescape=False)


def _harmless(value: Any) -> Any:
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, Mapping):
        return {one_line(key): _harmless(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_harmless(inner) for inner in value]
    return value
