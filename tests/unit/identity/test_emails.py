"""S05: one mailbox, one canonical form."""

import pytest

from identity.entrypoints.emails import BadEmail, canonical_email, read_email


@pytest.mark.parametrize("text", ["ada@x.com", "ADA@X.COM", " Ada@x.com ", "ada@X.CoM\n"])
def test_s05_spellings_of_one_address_are_equal(text: str):
    assert read_email(text).canonical == "ada@x.com"


def test_s05_a_look_alike_of_a_letter_becomes_that_letter():
    assert read_email("bo\u212ao@x.com") == read_email("boKo@x.com")


def test_mail_goes_to_the_address_as_its_owner_writes_it():
    assert read_email(" Ada.Obi@Example.COM").text == "Ada.Obi@example.com"


def test_s05_a_domain_is_kept_in_the_form_that_shows_what_it_is():
    assert read_email("a@bücher.de").text == "a@xn--bcher-kva.de"
    assert read_email("a@\u0430pple.com").canonical != read_email("a@apple.com").canonical


@pytest.mark.parametrize(
    "text",
    ["", "ada", "ada@", "@x.com", "a b@x.com", '"a b"@x.com', "a@[127.0.0.1]", "a@localhost",
     "müller@x.com", "a@x.com\r\nBcc: b@y.com", "a@b@c.com", "a" * 65 + "@x.com",
     "a@x..com", "a\u200b@x.com"],
)  # fmt: skip
def test_s05_what_is_no_plain_address_is_refused(text: str):
    with pytest.raises(BadEmail):
        read_email(text)
    assert canonical_email(text) is None
