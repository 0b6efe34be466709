"""The feeds of other services, read over HTTP (see feed)."""

import json
from collections.abc import Collection, Mapping
from http.client import HTTPException
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

import msgspec

from oja_events.feed import FeedAway, Page

TIMEOUT_SECONDS = 5.0
MIN_TOKEN = 32
_page = msgspec.json.Decoder(Page)
# Straight to the services: a proxy of the environment has no business between them.
_opener = build_opener(ProxyHandler({}))


class HTTPFeeds:
    """The feeds at {service: URL}, as `consumer` reads them."""

    def __init__(self, urls: Mapping[str, str], token: str, *, consumer: str) -> None:
        self._urls = urls
        self._headers = {"Authorization": f"Bearer {token}"}
        self._consumer = consumer

    def page(self, source: str, *, after: int, types: Collection[str], older_than: float) -> Page:
        """What `source` told after that position. Raises FeedAway."""
        if source not in self._urls:
            raise FeedAway(f"nobody said where the feed of {source} is")
        query = {
            "after": after,
            "types": ",".join(types),
            "older_than": int(older_than),
            "consumer": self._consumer,
        }
        url = f"{self._urls[source]}/internal/events?{urlencode(query)}"
        asked = Request(url, headers=self._headers)  # noqa: S310  our own
        try:
            with _opener.open(asked, timeout=TIMEOUT_SECONDS) as answer:
                return _page.decode(answer.read())
        except (OSError, HTTPException, msgspec.MsgspecError) as error:
            raise FeedAway(f"{source}: {error}") from None


def service_urls(text: str) -> dict[str, str]:
    """{service: URL} from JSON text; raises ValueError."""
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("FEED_URLS must be JSON: {service: URL}")
    return {str(service): str(url).rstrip("/") for service, url in found.items()}


def internal_token(text: str) -> str:
    """The token that services show each other; raises ValueError for one that can be guessed."""
    if len(text) < MIN_TOKEN:
        raise ValueError(f"INTERNAL_TOKEN needs at least {MIN_TOKEN} characters")
    return text
