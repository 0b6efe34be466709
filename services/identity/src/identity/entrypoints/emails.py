"""Reading email addresses that somebody typed."""

import unicodedata

from email_validator import EmailNotValidError, validate_email

from identity.domain.values import EmailAddress

MAX_LENGTH = 254


class BadEmail(Exception):
    """The text is not an address that we could write to; the message says why."""


def read_email(text: str) -> EmailAddress:
    """Both forms of an address; raises BadEmail.

    The local part is ASCII, as every mail server takes it; the domain is kept in its ASCII form,
    so that a look-alike in other letters is also seen as one.
    """
    trimmed = unicodedata.normalize("NFC", text).strip()
    try:
        # `.test` belongs to nobody, so trying the shop out with it writes to nobody.
        found = validate_email(
            trimmed,
            allow_smtputf8=False,
            check_deliverability=False,
            strict=True,
            test_environment=True,
        )
    except EmailNotValidError as error:
        raise BadEmail(str(error)) from None
    mailable = found.ascii_email or found.normalized
    return EmailAddress(mailable, mailable.casefold())


def canonical_email(text: str) -> str | None:
    """What to look an account up by; None if there cannot be one."""
    try:
        return read_email(text).canonical
    except BadEmail:
        return None
