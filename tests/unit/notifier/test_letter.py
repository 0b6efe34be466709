"""Who can be written to, and what strangers' text is turned into."""

import pytest

from notifier.domain.letter import Audience, BadAddress, Recipient, Template
from notifier.domain.plain_text import MAX_LENGTH, one_line


@pytest.mark.parametrize(
    "email",
    [
        "",
        "nobody",
        "@example.com",
        "a@",
        "a b@example.com",
        "a@example.com, b@example.com",
        "a@example.com\r\nBcc: b@example.com",
        "a@example.com\n",
        "<a@example.com>",
        '"a b"@example.com',
        "a@exam ple.com",
        "a@-example.com",
        "a@example..com",
        "ọjà@example.com",
        "a" * 65 + "@example.com",
        "a@" + "b" * 64 + ".com",
        "a..b@example.com",
        ".a@example.com",
        "a.@example.com",
        "=?a?q?b?=@example.com",
        "a@" + ".".join(["b" * 60] * 5),
    ],
)
def test_s51_what_is_not_exactly_one_address_is_refused(email: str) -> None:
    with pytest.raises(BadAddress):
        Recipient(email)


@pytest.mark.parametrize(
    "email", ["ada@example.com", "ada.obi+shop@mail.example.ng", "o'neil@localhost", "a=b?@x.ng"]
)
def test_ordinary_addresses_stay_as_they_are(email: str) -> None:
    assert Recipient(email).email == email


def test_a_domain_in_other_letters_is_written_as_mail_servers_know_it() -> None:
    assert Recipient("ada@ọjà.example").email == "ada@xn--j-sfa590u.example"


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("  Ada\t Obi ", "Ada Obi"),
        ("  Ada   Obi ", "Ada Obi"),
        ("x\r\nBcc: e@x.example", "x Bcc: e@x.example"),
        ("a\x00b\x1b[31mc\x7f", "ab[31mc"),
        ("a\u2028b\u2029c\x85d", "a b c d"),
        ("invoice\u202egnp.exe", "invoicegnp.exe"),
        ("\u2066a\u2069\u200f\u061cb", "ab"),
        ("Ọlá 🎉 السلام", "Ọlá 🎉 السلام"),
        ("half \ud83d", "half"),
    ],
)
def test_text_becomes_one_line_without_tricks(text: str, harmless: str) -> None:
    assert one_line(text) == harmless


def test_a_text_without_end_is_cut() -> None:
    assert len(one_line("a" * 10_000)) == MAX_LENGTH


def test_staff_get_what_is_for_staff() -> None:
    for_staff = {template for template in Template if template.audience is Audience.STAFF}

    assert for_staff == {
        Template.LOW_STOCK,
        Template.REFUND_FAILED,
        Template.PAYMENT_ALERT,
        Template.MAIL_FAILING,
        Template.MESSAGE_PARKED,
        Template.BOOKS,
    }
