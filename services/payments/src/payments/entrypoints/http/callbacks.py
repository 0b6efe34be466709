"""Where a customer may be sent back to after paying."""

import re
from urllib.parse import urlsplit

from marshmallow import ValidationError

# No user info, no back slash, no space: what browsers and urlsplit could read differently.
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?#][!-\[\]-~]*)?")


def check_callback(url: str | None, allowed: frozenset[str]) -> None:
    """Raises ValidationError unless it is a plain web address on an allowed host."""
    if url is None:
        return
    if not _PLAIN_URL.fullmatch(url):
        raise ValidationError({"callback_url": ["Must be an http or https address."]})
    parts = urlsplit(url)
    if not {parts.hostname, parts.netloc.lower()} & allowed:
        raise ValidationError({"callback_url": ["This host is not allowed."]})
