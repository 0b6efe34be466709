"""What a service shows to an auditor, over HTTP (see oja_events.books.facts)."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from http.client import HTTPException
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

import msgspec
from flask import Flask, Response, request
from sqlalchemy import Engine

from oja_events.books.facts import PAGE, Fact, Facts, UnknownFact, read
from oja_events.books.report import SourceAway
from oja_web.auth import declare_access
from oja_web.internal import refuse_strangers
from oja_web.problems import Problem
from oja_web.strict_json import json_response
from oja_web.throttling import unlimited

TIMEOUT_SECONDS = 15.0
# Straight to the services: a proxy of the environment has no business between them.
_opener = build_opener(ProxyHandler({}))


class _Wish(msgspec.Struct, forbid_unknown_fields=True):
    ids: list[str] = []
    after: str = ""
    since: datetime | None = None
    limit: int = PAGE


_wish = msgspec.json.Decoder(_Wish)


def register_books(app: Flask, engine: Engine, token: str, facts: Facts) -> None:
    """Serve POST /internal/books/<fact> with {ids, after, since, limit} to who has the token.

    A POST, because hundreds of ids fit in no address; it changes nothing.
    """

    def show(fact: str) -> Response:
        refuse_strangers(token)
        wish = _read_wish()
        with engine.connect() as connection:
            try:
                rows = read(
                    connection,
                    facts,
                    fact,
                    ids=wish.ids,
                    after=wish.after,
                    since=wish.since,
                    limit=wish.limit,
                )
            except UnknownFact:
                raise Problem(404, "not_found", f"{fact} is not shown here.") from None
        return json_response(rows)

    view = declare_access(unlimited(show), "internal", security=[])
    app.add_url_rule("/internal/books/<fact>", view_func=view, methods=["POST"])


def _read_wish() -> _Wish:
    try:
        wish = _wish.decode(request.get_data())
    except msgspec.MsgspecError as error:
        raise Problem(400, "bad_request", str(error)) from None
    if not 0 < wish.limit <= PAGE or len(wish.ids) > PAGE:
        raise Problem(400, "bad_request", f"At most {PAGE} at once.")
    return wish


class HTTPSources:
    """The facts of the services at {service: URL}."""

    def __init__(self, urls: Mapping[str, str], token: str) -> None:
        self._urls = urls
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def rows(
        self,
        service: str,
        fact: str,
        *,
        ids: Sequence[str] = (),
        after: str = "",
        since: datetime | None = None,
        limit: int = PAGE,
    ) -> list[Fact]:
        """What the service shows. Raises SourceAway."""
        if service not in self._urls:
            raise SourceAway(f"nobody said where {service} is")
        wish = {"ids": list(ids), "after": after, "limit": limit}
        if since is not None:
            wish["since"] = since.isoformat()
        asked = Request(  # noqa: S310  our own
            f"{self._urls[service]}/internal/books/{fact}",
            data=json.dumps(wish).encode(),
            headers=self._headers,
        )
        try:
            with _opener.open(asked, timeout=TIMEOUT_SECONDS) as answer:
                found: list[dict[str, Any]] = json.loads(answer.read())
        except (OSError, HTTPException, ValueError) as error:
            raise SourceAway(f"{service}: {error}") from None
        return found
