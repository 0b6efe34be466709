"""Letters in words."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from notifier.adapters.formats import day, moment, money, weblink
from notifier.adapters.samples import sample_facts
from notifier.adapters.wording import plain, shipped, word
from notifier.domain.alert import Alert, AlertKind
from notifier.domain.letter import Letter, Recipient, Template
from notifier.domain.template import BadTemplate
from notifier.entrypoints.consumer import SUBSCRIPTIONS
from notifier.use_cases import alerting
from oja_events.contracts import Contact, Event
from oja_events.contracts.ordering import Tracking
from tests.support import notifier as news
from tests.unit.notifier.fakes import FakeUnitOfWork


def letter_about(event: Event) -> Letter:
    uow = FakeUnitOfWork()
    SUBSCRIPTIONS[type(event)](event, uow=uow)
    alerting.write_digests(uow)
    (letter,) = uow.books.letters.values()
    return letter


def letter_about_alert(kind: AlertKind) -> Letter:
    uow = FakeUnitOfWork()
    with uow:
        uow.alerts.add(Alert(kind=kind, occasion="x", title="Something", detail="is wrong"))
        uow.commit()
    alerting.write_digests(uow)
    (letter,) = uow.books.letters.values()
    return letter


LETTERS = [
    *(letter_about(event) for event in news.all_news()),
    letter_about_alert(AlertKind.MAIL_FAILED),
    letter_about_alert(AlertKind.MESSAGE_PARKED),
]
VARIATIONS = [
    news.order_shipped(tracking=None),
    news.order_shipped(tracking=Tracking(carrier="GIG", number="1")),
    news.payment_confirmed(channel=None),
    news.payment_alert_raised(order_id=None),
    news.books_turned(status="green", faults=0, ids=()),
    *(
        news.order_cancelled(reason=reason, was_paid=was_paid)
        for reason in ("customer", "out_of_stock", "expired", "staff", "something new")
        for was_paid in (True, False)
    ),
]


class Checker(HTMLParser):
    """Raises for tags that do not match; collects what a browser would fetch or run."""

    VOID = ("meta", "br", "img", "link", "hr", "input")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.tags: set[str] = set()
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_there_is_a_letter_for_every_template() -> None:
    assert {letter.template for letter in LETTERS} == set(Template)


@pytest.mark.parametrize("letter", LETTERS, ids=lambda letter: letter.template.value)
def test_a_mail_reads_well_in_both_its_forms(letter: Letter) -> None:
    words = word(letter, storefront=news.STOREFRONT)

    assert words.subject
    assert "\n\n\n" not in words.text
    assert all(line == line.rstrip() or line == "-- " for line in words.text.splitlines())
    page = Checker(words.html)
    assert not page.tags & {"script", "img", "link", "iframe", "form"}
    for leftover in ("{{", "{%", "None", "UUID(", "datetime"):
        assert leftover not in words.text + words.html


@pytest.mark.parametrize("event", VARIATIONS, ids=lambda event: type(event).__name__)
def test_every_turn_of_a_template_fits_its_event(event: Event) -> None:
    Checker(word(letter_about(event), storefront=news.STOREFRONT).html)


def test_a_completed_order_asks_for_a_review_of_each_product_where_it_can_be_written() -> None:
    order = news.order_completed()
    again = replace(order.lines[0], sku="ADIRE-L", options={"size": "L"})

    words = word(
        letter_about(news.order_completed(lines=(*order.lines, again))), storefront=news.STOREFRONT
    )

    for line in order.lines:
        link = f"{news.STOREFRONT}/products/{line.product_id}#reviews"
        assert words.text.count(link) == 1
        assert Checker(words.html).attributes.count(("href", link)) == 1


def test_a_cancelled_order_that_was_paid_says_when_the_money_comes() -> None:
    words = word(letter_about(news.order_cancelled(was_paid=True)), storefront=news.STOREFRONT)

    for form in (words.text, words.html):
        assert "10 working days" in form
        assert "₦21,500.50" in form


def test_a_cancelled_order_that_was_not_paid_says_so() -> None:
    words = word(
        letter_about(news.order_cancelled(reason="expired", was_paid=False)),
        storefront=news.STOREFRONT,
    )

    for form in (words.text, words.html):
        assert "You have not been charged." in form
        assert "way back" not in form


def test_an_order_that_was_overtaken_by_its_payment_asks_for_no_money() -> None:
    letter = letter_about(news.order_placed())

    words = word(
        replace(letter, facts={**letter.facts, "awaits_payment": False}), storefront=news.STOREFRONT
    )

    assert "Please pay" in word(letter, storefront=news.STOREFRONT).text
    assert "Please pay" not in words.text + words.html


def test_s51_what_customers_write_is_not_compiled_and_not_markup() -> None:
    name = "{{ 7*7 }}{% raw %}<script>alert(1)</script>"
    words = word(
        letter_about(news.order_placed(contact=Contact(email="a@b.example", name=name))),
        storefront=news.STOREFRONT,
    )

    assert f"Hello {name}," in words.text
    assert "script" not in Checker(words.html).tags
    assert "{{ 7*7 }}{% raw %}&lt;script&gt;" in words.html


def test_line_breaks_and_direction_marks_in_any_fact_are_gone() -> None:
    trick = "a\r\nb\u202ec"
    tracking = Tracking(carrier=trick, number=trick)
    words = word(
        letter_about(news.order_shipped(tracking=tracking, number=trick)),
        storefront=news.STOREFRONT,
    )

    assert "a bc" in words.subject
    assert "\u202e" not in words.subject + words.text + words.html
    assert "a\r" not in words.text + words.html


def test_line_breaks_and_direction_marks_are_gone_from_lists_too() -> None:
    assert plain({"lines": ({"name": "a\r\nb\u202ec"},), "ids": ("a\nb",)}) == {
        "lines": [{"name": "a bc"}],
        "ids": ["a b"],
    }


def test_a_parcel_is_followed_on_the_web_or_not_at_all() -> None:
    tracking = Tracking(carrier="GIG", number="1", url="javascript:alert(1)")

    words = word(letter_about(news.order_shipped(tracking=tracking)), storefront=news.STOREFRONT)

    assert "javascript" not in words.html + words.text
    assert "Follow" not in words.html


def test_a_link_cannot_break_out_of_its_attribute() -> None:
    tracking = Tracking(carrier="GIG", number="1", url='https://x.example/"onclick="alert(1)')

    page = Checker(
        word(letter_about(news.order_shipped(tracking=tracking)), storefront=news.STOREFRONT).html
    )

    assert "onclick" not in dict(page.attributes)


def test_a_template_that_asks_for_what_it_does_not_get_is_an_error() -> None:
    letter = Letter(template=Template.WELCOME, to=Recipient("a@b.example"), occasion="x", facts={})

    with pytest.raises(BadTemplate, match="is undefined"):
        word(letter, storefront=news.STOREFRONT)


def test_a_fact_that_a_filter_is_not_for_is_an_error_like_a_missing_one() -> None:
    facts = {**vars(news.refund_failed()), "amount": {"naira": 4500}}
    letter = Letter(
        template=Template.REFUND_FAILED, to=Recipient("a@b.example"), occasion="x", facts=facts
    )

    with pytest.raises(BadTemplate, match="amount"):
        word(letter, storefront=news.STOREFRONT)


def test_a_version_names_what_a_mail_was_made_of() -> None:
    versions = {template: shipped(template).version for template in Template}

    assert len(set(versions.values())) == len(versions)
    for letter in LETTERS:
        assert (
            word(letter, storefront=news.STOREFRONT).template_version == versions[letter.template]
        )


@pytest.mark.parametrize("letter", LETTERS, ids=lambda letter: letter.template.value)
def test_samples_have_the_fields_of_real_mails(letter: Letter) -> None:
    for sample in sample_facts(letter.template):
        assert plain(sample).keys() == plain(letter.facts).keys()


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (450_000, "NGN", "₦4,500.00"),
        (5, "NGN", "₦0.05"),
        (0, "NGN", "₦0.00"),
        (123_456_789, "USD", "$1,234,567.89"),
        (1_050, "KES", "KSh 10.50"),
        (1_000, "XOF", "1,000 XOF"),
        (1_099, "CHF", "10.99 CHF"),
        (-1_099, "NGN", "-₦10.99"),
    ],
)
def test_money_is_written_as_the_country_does(amount: int, currency: str, shown: str) -> None:
    assert money({"amount": amount, "currency": currency}) == shown


def test_times_are_those_of_the_shop() -> None:
    assert moment("2026-12-31T23:30:00Z") == "1 January 2027, 00:30 (Lagos time)"
    assert day("2026-10-09T13:05:00+00:00") == "Friday 9 October 2026"


def test_only_web_addresses_are_links() -> None:
    assert weblink("HTTPS://x.example") == "HTTPS://x.example"
    assert weblink("data:text/html,x") == weblink("//x.example") == weblink(None) == ""
