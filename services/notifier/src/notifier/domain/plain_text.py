"""Text of strangers, made harmless for one line of a mail or a header."""

import re
import unicodedata

MAX_LENGTH = 500

# Marks that turn the reading direction around can make a text look like another one.
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_BREAKS_AND_SPACE = re.compile(r"\s+")
_REMOVED_CATEGORIES = {"Cc", "Cs", "Co", "Cn"}


def one_line(text: str) -> str:
    """The same words on one line: no control characters, no direction marks, no line breaks."""
    if text.isascii() and text.isprintable():  # as nearly every text is
        return " ".join(text.split())[:MAX_LENGTH]
    spaced = _BREAKS_AND_SPACE.sub(" ", _BIDI.sub("", text))
    visible = "".join(c for c in spaced if unicodedata.category(c) not in _REMOVED_CATEGORIES)
    return visible.strip()[:MAX_LENGTH]
