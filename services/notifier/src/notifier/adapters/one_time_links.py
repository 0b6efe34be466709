"""Links that are secrets, asked of identity when a mail leaves, so that they are kept nowhere."""

import json
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from notifier.domain.mail import Mail
from notifier.use_cases.errors import Deferred, NotWantedAnyMore
from notifier.use_cases.ports import MailServer, OneTimeLinks

TIMEOUT = 10.0  # seconds
MAX_ANSWER_BYTES = 8192
_GONE = 410


class LinkingMailServer:
    """A mail server that gets mails with their links in them.

    Every attempt has a fresh link: after a doubt the second copy's is the one that works.
    """

    def __init__(self, server: MailServer, links: OneTimeLinks) -> None:
        self._server = server
        self._links = links
        self._filled: Mail | None = None

    def offer(self, mail: Mail) -> None:
        """Raises Deferred and NotWantedAnyMore for a link that cannot be had."""
        self._filled = mail
        if mail.link_request:
            self._filled = mail.with_link(self._links.link_for(mail.link_request))
        self._server.offer(self._filled)

    def hand_over(self, mail: Mail) -> None:
        filled, self._filled = self._filled, None
        if filled is None or filled.id != mail.id:
            raise RuntimeError("offer the mail first")
        self._server.hand_over(filled)

    def close(self) -> None:
        self._server.close()


class IdentityLinks:
    """Asks identity at `url`, one connection per question: such mails are few."""

    def __init__(self, url: str, token: str, *, timeout: float = TIMEOUT) -> None:
        self._url = urlsplit(url)
        self._token = token
        self._timeout = timeout

    def link_for(self, request_id: UUID) -> str:
        try:
            status, body = self._ask(request_id)
        except (OSError, HTTPException) as error:
            raise Deferred(f"identity does not answer: {type(error).__name__}") from None
        if status == _GONE:
            raise NotWantedAnyMore("the link is not wanted any more")
        if status != 200:
            raise Deferred(f"identity gave no link: {status}")
        return _url_in(body)

    def _ask(self, request_id: UUID) -> tuple[int, bytes]:
        kind = HTTPSConnection if self._url.scheme == "https" else HTTPConnection
        connection = kind(self._url.netloc, timeout=self._timeout)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        question = json.dumps({"request_id": str(request_id)})
        try:
            connection.request("POST", "/internal/one-time-links", question, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(MAX_ANSWER_BYTES)
        finally:
            connection.close()


def _url_in(body: bytes) -> str:
    try:
        url: Any = json.loads(body)["url"]
    except (ValueError, KeyError, TypeError):
        url = None
    if not isinstance(url, str):
        raise Deferred("identity answered without a link")
    return url
