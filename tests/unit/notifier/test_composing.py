"""A mail as bytes."""

from datetime import timedelta
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesParser
from types import SimpleNamespace
from uuid import UUID

import pytest

from notifier.adapters import composing
from notifier.adapters.composing import compose, message_id
from notifier.domain.plain_text import one_line
from tests.support.notifier import AFTERNOON
from tests.unit.notifier.fakes import a_mail


def parsed(raw: bytes) -> EmailMessage:
    return BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(raw)


def test_the_same_mail_makes_the_same_bytes() -> None:
    mail = a_mail()

    assert compose(mail) == compose(mail)


def test_bytes_are_fit_for_any_mail_server() -> None:
    raw = compose(a_mail(subject="Ẹ káàbọ̀", text="Ọjà\n" * 3, html="<p>" + "Ọjà " * 500 + "</p>"))

    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998


def test_it_says_all_that_a_mail_should_say() -> None:
    message = parsed(compose(a_mail(subject="Ẹ káàbọ̀", text="Ọjà", html="<p>Ọjà</p>")))

    assert message["From"] == "Oja <orders@oja.example>"
    assert message["To"] == "Ada Obi <ada@example.com>"
    assert message["Subject"] == "Ẹ káàbọ̀"
    assert message["Date"].datetime == AFTERNOON
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == [
        "text/plain",
        "text/html",
    ]
    assert message.get_body(("plain",)).get_content().strip() == "Ọjà"


# What they say is a header and a body of their own, if somebody decodes them.
ENCODED_WORDS = [
    "=?utf-8?q?x=0D=0ABcc=3A_eve=40x.example=0D=0A=0D=0AClick_http=3A//evil?=",
    "Ada =?utf-8?b?eA0KQmNjOiBldmVAeC5leGFtcGxlDQoNCkNsaWNr?= Obi",
    "=?utf-8?q?Eve?=",
    "Ọlá =?utf-8?q?x=0D=0ABcc=3A_eve=40x.example?= " + "Obi " * 30 + "Obi",
    "=?a?q?b?=",
]


@pytest.mark.parametrize(
    "name", ["", 'Ada "the boss" Obi', "Obi, Ada", "Ada <eve@x.example>", "Ọlá", *ENCODED_WORDS]
)
def test_s51_whatever_the_name_there_is_one_recipient(name: str) -> None:
    message = parsed(compose(a_mail(recipient_name=name)))

    (address,) = message["To"].addresses
    assert address.addr_spec == "ada@example.com"
    # The parser puts spaces between the parts of a long name, against RFC 2047, 6.2.
    assert address.display_name.replace(" ", "") == name.replace(" ", "")
    assert message["Bcc"] is None
    assert message.get_body(("plain",)).get_content().strip() == "Hello Ada"


@pytest.mark.parametrize("subject", ["Hello\r\nBcc: eve@x.example", *ENCODED_WORDS])
def test_s51_a_subject_cannot_become_a_header(subject: str) -> None:
    message = parsed(compose(a_mail(subject=subject)))

    assert message["Bcc"] is None
    assert message["Subject"] == one_line(subject)
    assert message.get_body(("plain",)).get_content().strip() == "Hello Ada"


@pytest.mark.parametrize("text", ["x\r\nBcc: eve@x.example", "x\n y", "x\r y", "x\r\n\r\ny"])
def test_s51_a_header_of_several_lines_is_refused(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    folded = f"Subject: {text}\r\n".encode()
    monkeypatch.setattr(composing, "SMTP", SimpleNamespace(
        header_factory=lambda *_: "", fold_binary=lambda *_: folded
    ))  # fmt: skip

    with pytest.raises(ValueError, match="Subject"):
        compose(a_mail(subject="Ẹ káàbọ̀"))


NAMES = [
    "",
    "Ada",
    "Ada Obi",
    "Adé Obi",
    "O'Neil-Obi",
    "Ada B. Obi",
    'Ada "A" Obi',
    "Obi, Ada",
    "Ada (Obi)",
    "Ada <eve@x.example>",
    "Ada " * 20 + "Obi",
    "A" * 90,
]
ADDRESSES = ["ada@example.com", "ada.b+c_d-e@sub.example.com", f"{'a' * 64}@{'b' * 40}.example"]


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("name", NAMES)
def test_a_recipient_stands_there_as_the_library_writes_it(name: str, address: str) -> None:
    raw = compose(a_mail(recipient_name=name, recipient=address))

    to = Address(name, addr_spec=address)
    assert policy.SMTP.fold_binary("To", policy.SMTP.header_factory("To", to)) in raw


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "Your order OJ-100042 is on its way",
        "Low: A-1, 3 left (really) <now>; \\ 100%",
        "Ọjà",
        *("a " * n for n in (34, 35, 36)),
        *("a" * n for n in (68, 69, 70, 71, 99)),
    ],
)
def test_a_subject_stands_there_as_the_library_writes_it(subject: str) -> None:
    raw = compose(a_mail(subject=subject))

    header = policy.SMTP.header_factory("Subject", one_line(subject))
    assert policy.SMTP.fold_binary("Subject", header) in raw


def test_microseconds_do_not_change_the_bytes_of_a_second() -> None:
    mail = a_mail()

    later = compose(a_mail(id=mail.id, message_id=mail.message_id,
                           created_at=AFTERNOON + timedelta(microseconds=7)))  # fmt: skip

    assert compose(mail) == later


@pytest.mark.parametrize("domain", ["oja.example", "a-rather-long-name-of-a-shop.example"])
def test_the_name_of_a_mail_stands_on_one_line(domain: str) -> None:
    name = f"<01890000-0000-7000-8000-000000000001.payment_confirmed@{domain}>"

    raw = compose(a_mail(message_id=name))

    assert f"\r\nMessage-ID: {name}\r\n".encode() in raw
    assert parsed(raw)["Message-ID"] == name


def test_the_name_of_a_mail_comes_from_its_event() -> None:
    event_id = UUID("01890000-0000-7000-8000-000000000001")

    assert (
        message_id(event_id, "welcome", "Oja <orders@oja.example>")
        == "<01890000-0000-7000-8000-000000000001.welcome@oja.example>"
    )
