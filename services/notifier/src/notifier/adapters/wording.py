"""Templates, and letters put into words by them.

A template is a subject, a text and an HTML page. Shipped ones are two files, `<name>.txt`, whose
first line is `Subject: ...`, and `<name>.html`; those of staff go through the sandbox. They see the
fields of the event that they are about. Whatever customers wrote is data to them: it is never
compiled, comes out on one line, and is escaped in HTML.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2 import Template as JinjaTemplate
from jinja2.sandbox import ImmutableSandboxedEnvironment

from notifier.adapters import sandbox
from notifier.adapters.formats import FILTERS
from notifier.adapters.samples import NAME, sample_facts
from notifier.domain.letter import Letter, Recipient, Template
from notifier.domain.mail import LINK_PLACE
from notifier.domain.plain_text import one_line
from notifier.domain.template import BadTemplate, Edition, Source, Words

SHIPPED = Path(__file__).parent / "templates"
SHOP = "Oja"
_SHARED = ("layout.txt", "layout.html", "parts.txt", "parts.html")
_WITH_LINK = (Template.VERIFY_EMAIL, Template.RESET_PASSWORD, Template.CONFIRM_EMAIL)

_Render = Callable[[str, Environment, str, Mapping[str, object]], str]


def word(letter: Letter, edition: Edition | None = None, *, storefront: str) -> Words:
    """In the words of `edition`; without one, in those that are shipped. `storefront` is where
    customers look at products, without a slash at its end.

    Raises BadTemplate when the words do not fit the letter's facts: those of staff, or shipped ones
    of another version than the one that wrote the facts down.
    """
    edition = edition or shipped(letter.template)
    variables = {**_variables(letter), "storefront": storefront}
    if edition.edited_by is None:
        return _put(edition, variables, _render)
    boxed = _Boxed(variable_names(letter.template))
    words = _put(edition, variables, boxed.render)
    if boxed.errors:
        raise BadTemplate(boxed.errors)
    return words


class Drafting:
    """Templates that somebody is at work on."""

    def __init__(self, storefront: str) -> None:
        self._storefront = storefront

    def check(self, template: Template, source: Source) -> None:
        """Raises BadTemplate unless the source makes a mail of every turn of its event."""
        draft = Edition(version="draft", source=source, edited_by="draft")
        for facts in sample_facts(template):
            words = self.word(_sample_letter(template, facts), draft)
            errors = dict(_gaps(template, words))
            if errors:
                raise BadTemplate(errors)

    def word(self, letter: Letter, edition: Edition) -> Words:
        return word(letter, edition, storefront=self._storefront)

    def sample(self, template: Template) -> Mapping[str, object]:
        return plain(sample_facts(template)[0])

    def variables(self, template: Template) -> list[str]:
        return sorted(variable_names(template))


def variable_names(template: Template) -> frozenset[str]:
    """What a template may speak of."""
    about_the_mail = {"recipient_name", "shop", "storefront", "subject"}
    link = {"link"} if template in _WITH_LINK else set()
    return frozenset(sample_facts(template)[0].keys() | about_the_mail | link)


def plain(facts: Mapping[str, object]) -> dict[str, Any]:
    """The facts as JSON has them, every text of them on one harmless line."""
    harmless: dict[str, Any] = _harmless(msgspec.to_builtins(facts))
    return harmless


@cache
def shipped(template: Template) -> Edition:
    """The version names all the files that the mail is made of."""
    head, _, text = (SHIPPED / f"{template}.txt").read_text("utf-8").partition("\n")
    html = (SHIPPED / f"{template}.html").read_text("utf-8")
    files = [f"{template}.txt", f"{template}.html", *_SHARED]
    digest = hashlib.sha256(b"\0".join((SHIPPED / name).read_bytes() for name in files))
    source = Source(head.removeprefix("Subject: "), text, html)
    return Edition(version=f"shipped-{digest.hexdigest()[:12]}", source=source)


def _variables(letter: Letter) -> dict[str, object]:
    variables = {**plain(letter.facts), "recipient_name": letter.to.name, "shop": SHOP}
    if letter.template in _WITH_LINK:
        variables["link"] = LINK_PLACE
    return variables


def _put(edition: Edition, variables: dict[str, object], render: _Render) -> Words:
    source = edition.source
    variables["subject"] = ""
    variables["subject"] = subject = one_line(render("subject", _text, source.subject, variables))
    return Words(
        subject=subject,
        text=_tidy(render("text", _text, source.text, variables)),
        html=render("html", _html, source.html, variables),
        template_version=edition.version,
    )


def _render(
    part: str, environment: Environment, source: str, variables: Mapping[str, object]
) -> str:
    try:
        return _compiled(environment, source).render(variables)
    except Exception as error:  # a gap, or whatever a filter makes of values that it is not for
        raise BadTemplate({part: [str(error)]}) from error


@cache
def _compiled(environment: Environment, source: str) -> JinjaTemplate:
    return environment.from_string(source)


class _Boxed:
    """Renders in the sandbox and collects what is wrong with each part."""

    def __init__(self, known: frozenset[str]) -> None:
        self._known = known
        self.errors: dict[str, list[str]] = {}

    def render(
        self, part: str, environment: Environment, source: str, variables: Mapping[str, object]
    ) -> str:
        try:
            template = sandbox.compiled(environment, source, self._known)
            return sandbox.rendered(template, variables)
        except sandbox.Unfit as unfit:
            self.errors[part] = unfit.errors
            return ""


def _sample_letter(template: Template, facts: Mapping[str, object]) -> Letter:
    someone = Recipient("ada@example.com", NAME)
    return Letter(template=template, to=someone, occasion="sample", facts=facts)


def _gaps(template: Template, words: Words) -> list[tuple[str, list[str]]]:
    """What every mail of this kind must have and this one has not."""
    parts = {"subject": words.subject, "text": words.text, "html": words.html}
    empty = [
        (part, ["line 1: nothing comes of it"]) for part, it in parts.items() if not it.strip()
    ]
    if template not in _WITH_LINK:
        return empty
    bodies = [part for part in ("text", "html") if LINK_PLACE not in parts[part]]
    return empty + [(part, ["line 1: {{ link }} is missing"]) for part in bodies]


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
        auto_reload=False,
    )
    environment.globals.clear()
    environment.filters.update(FILTERS)
    environment.filters[sandbox.COUNTED] = sandbox.counted
    return environment


_html = _environment(autoescape=True)
_text = _environment(autoescape=False)


def _harmless(value: Any) -> Any:
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, dict):
        return {one_line(key): _harmless(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_harmless(inner) for inner in value]
    return value
