"""What staff may write into a template, and what is refused with its line."""

import time
from dataclasses import replace
from typing import Any

import pytest

from notifier.adapters import sandbox
from notifier.adapters.wording import Drafting, shipped, word
from notifier.domain.letter import Letter, Recipient, Template
from notifier.domain.mail import LINK_PLACE
from notifier.domain.template import BadTemplate, Edition, Source
from notifier.use_cases import templates
from tests.support import notifier as news
from tests.unit.notifier.fakes import FakeUnitOfWork

PLAIN = Source("Hello {{ recipient_name }}", "Hello\n", "<p>Hello</p>")


def errors_of(template: Template = Template.ORDER_SHIPPED, **parts: str) -> dict[str, list[str]]:
    with pytest.raises(BadTemplate) as refused:
        Drafting(news.STOREFRONT).check(template, replace(PLAIN, **parts))
    return dict(refused.value.errors)


def worded(html: str, **facts: object) -> str:
    draft = Edition(version="edited-1", source=replace(PLAIN, html=html), edited_by="sade")
    sample = {**Drafting(news.STOREFRONT).sample(Template.ORDER_SHIPPED), **facts}
    someone = Recipient("ada@example.com", "Ada <b>Obi</b>")
    letter = Letter(template=Template.ORDER_SHIPPED, to=someone, occasion="x", facts=sample)
    return word(letter, draft, storefront=news.STOREFRONT).html


@pytest.mark.parametrize("template", Template)
def test_what_is_shipped_is_a_fit_start_for_an_edit(template: Template) -> None:
    Drafting(news.STOREFRONT).check(template, shipped(template).source)


@pytest.mark.parametrize("template", Template)
def test_the_sandbox_changes_no_word(template: Template) -> None:
    facts = Drafting(news.STOREFRONT).sample(template)
    letter = Letter(template=template, to=Recipient("a@b.example"), occasion="x", facts=facts)

    boxed = word(
        letter,
        replace(shipped(template), version="edited-1", edited_by="sade"),
        storefront=news.STOREFRONT,
    )

    assert replace(boxed, template_version="") == replace(
        word(letter, storefront=news.STOREFRONT), template_version=""
    )


@pytest.mark.parametrize(
    ("html", "error"),
    [
        ("<p>\n{{ nmber }}", "line 2: unknown variable 'nmber'"),
        ("{% if 1 %}\n\n{{ tracking.nmber }}{% endif %}", "has no attribute 'nmber'"),
        ("\n{% if number %}", "line 2: Unexpected end of template"),
        ("\n{{ number | shout }}", "line 2: "),
        ("{{ number | replace('O', 'A') }}", "line 1: there is no filter 'replace'"),
        ("{% for line in lines %}\n{{ line.nmae }}{% endfor %}", "line 2: "),
        ("{{ total | day }}", "line 1: "),
        ("{{ tracking.__class__ }}", "line 1: names with an underscore"),
        ("{{ tracking['__class__'] }}", "line 1: access to attribute '__class__'"),
        ("{{ ''.join(lines) }}", "line 1: only the macros of parts can be called"),
        ("{{ number.upper() }}", "line 1: only the macros of parts can be called"),
        ("{{ self.content() }}", "line 1: only the macros of parts can be called"),
        ("{{ 'a' * 1000000000 }}", "line 1: mul is not available"),
        ("{{ '%1000000000d' % 1 }}", "line 1: mod is not available"),
        ("{{ range(10) }}", "line 1: only the macros of parts can be called"),
        ("{% set a = 1 %}", "line 1: assign is not available"),
        ("{% macro m() %}{{ m() }}{% endmacro %}", "line 1: macro is not available"),
        ("{% autoescape false %}{{ number }}{% endautoescape %}", "is not available"),
        ("{{ number | safe }}", "line 1: there is no filter 'safe'"),
        ("{% include 'welcome.html' %}", "line 1: include is not available"),
        ("{% extends '/etc/passwd' %}", "line 1: only layout and parts can be used"),
        ("{% import number as n %}", "line 1: only layout and parts can be used"),
        ("{% for a in lines recursive %}{% endfor %}", "recursive loops are not available"),
        ("(" * 3 + "{{ " + "(" * 500 + "1" + ")" * 500 + " }}", "nested too deeply"),
        ("{% if was_paid is callable %}{% endif %}", "line 1: there is no test 'callable'"),
    ],
)
def test_what_cannot_become_a_mail_is_refused_with_its_line(html: str, error: str) -> None:
    errors = errors_of(html=html)

    assert any(error in said for said in errors["html"]), errors
    assert all(said.startswith("line ") for said in errors["html"])


def test_mistakes_of_all_parts_are_told_together() -> None:
    assert errors_of(subject="{{ a }}", text="\n{{ b }}", html="{{ c }}") == {
        "subject": ["line 1: unknown variable 'a'"],
        "text": ["line 2: unknown variable 'b'"],
        "html": ["line 1: unknown variable 'c'"],
    }


def test_a_turn_that_only_some_mails_take_is_tried_too() -> None:
    html = "{% if not tracking %}{{ tracking.number }}{% endif %}ok"

    assert list(errors_of(html=html)) == ["html"]


def test_a_mail_that_must_hold_a_link_holds_it_in_both_its_forms() -> None:
    assert errors_of(Template.RESET_PASSWORD, text="{{ link }}") == {
        "html": ["line 1: {{ link }} is missing"]
    }
    assert LINK_PLACE in word_of(Template.RESET_PASSWORD, html="<a href='{{ link }}'>go</a>")


def word_of(template: Template, *, html: str) -> str:
    draft = Edition(version="edited-1", source=replace(PLAIN, html=html), edited_by="sade")
    facts = Drafting(news.STOREFRONT).sample(template)
    letter = Letter(template=template, to=Recipient("a@b.example"), occasion="x", facts=facts)
    return word(letter, draft, storefront=news.STOREFRONT).html


def test_a_mail_with_nothing_to_say_is_refused() -> None:
    assert errors_of(text="{% if false %}x{% endif %}") == {"text": ["line 1: nothing comes of it"]}


def test_names_of_customers_are_escaped_in_what_staff_write() -> None:
    assert worded("{{ recipient_name }}") == "Ada &lt;b&gt;Obi&lt;/b&gt;"


def test_loops_and_output_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "MAX_OUTPUT", 1_000)
    loop = "{% for a in lines %}" * 6 + "{{ number }}" + "{% endfor %}" * 6

    for html in (loop, "{{ number }}" * 200):
        with pytest.raises(BadTemplate, match=r"KiB|too often"):
            worded(html, lines=[{}] * 50, number="x" * 100)


def test_a_loop_without_output_ends_in_time() -> None:
    deep = "{% for a in lines %}" * 8 + "{% endfor %}" * 8
    started = time.monotonic()

    with pytest.raises(BadTemplate, match=r"too often|too long"):
        worded(deep, lines=list(range(500)))

    assert time.monotonic() - started < 10 * sandbox.MAX_SECONDS


def test_a_change_asks_for_the_version_that_it_replaces() -> None:
    uow = FakeUnitOfWork()
    seen: list[Any] = []

    for _ in range(2):
        templates.change_template(
            Template.WELCOME,
            PLAIN,
            by="sade",
            precondition=seen.append,
            drafting=Drafting(news.STOREFRONT),
            uow=uow,
        )
    templates.return_to_shipped(Template.WELCOME, by="sade", precondition=seen.append, uow=uow)

    assert seen == ["shipped", "edited-1", "edited-2"]
    assert uow.books.editions[Template.WELCOME][-1].version == "shipped"
