"""Readable addresses from names."""

import re
import unicodedata

MAX_LENGTH = 80

# Letters that Unicode does not take apart, in languages that our names come from.
_WHOLE_LETTERS = str.maketrans(
    {"ɓ": "b", "ɗ": "d", "ƙ": "k", "ƴ": "y", "ŋ": "n", "ɛ": "e", "ɔ": "o", "ø": "o", "ł": "l"}
)


def slugify(name: str, fallback: str) -> str:
    """`name` in lower-case ASCII words joined by hyphens; `fallback` if nothing of it is left.

    Names may share a slug: whoever stores one makes it unique.
    """
    letters = unicodedata.normalize("NFKD", name.casefold().translate(_WHOLE_LETTERS))
    plain = letters.encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", re.sub(r"['`]", "", plain)).strip("-")
    return words[:MAX_LENGTH].strip("-") or fallback
