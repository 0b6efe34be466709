"""Which passwords are good enough: Django's four rules, and all that fail are told at once."""

import re
import unicodedata
from collections.abc import Container, Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

MAX_LENGTH = 256
MAX_SIMILARITY = 0.7


class WeakPassword(Exception):
    """The password fails some rules; `errors` says which, in words for the person."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("This password is too easy to guess.")
        self.errors = {"password": reasons}


def normalized(password: str) -> str:
    """The same text for the same keys, whichever way a device writes its characters (NFKC)."""
    return unicodedata.normalize("NFKC", password)


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """`common` holds the most used passwords, in lower case."""

    common: Container[str]
    min_length: int = 8

    def check(self, password: str, personal: Iterable[str]) -> None:
        """Raises WeakPassword; `personal` is what others can know of the person."""
        reasons = self.reasons(password, personal)
        if reasons:
            raise WeakPassword(reasons)

    def reasons(self, password: str, personal: Iterable[str]) -> list[str]:
        """Everything that speaks against the password."""
        found = []
        if any(_resembles(password, own) for own in personal):
            found.append("Too similar to your name or email address.")
        if len(password) < self.min_length:
            found.append(f"Too short: use at least {self.min_length} characters.")
        if password.lower().strip() in self.common:
            found.append("Too common: it is among the first that an attacker tries.")
        if password.isdigit():
            found.append("Must not consist of digits only.")
        return found


def _resembles(password: str, own: str) -> bool:
    """Whether it shares most of its letters with the text or one of its words."""
    lowered = own.lower()
    return any(_alike(password.lower(), part) for part in {lowered, *re.split(r"\W+", lowered)})


def _alike(password: str, part: str) -> bool:
    # A passphrase that is ten times longer cannot be alike, and comparing would only take time.
    if not part or len(password) >= 10 * len(part):
        return False
    return SequenceMatcher(a=password, b=part).quick_ratio() >= MAX_SIMILARITY
