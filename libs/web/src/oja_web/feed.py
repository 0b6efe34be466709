"""The feed of a service over HTTP, for other services (see oja_events.feed)."""

import msgspec
from flask import Flask, Response, request
from sqlalchemy import Engine

from oja_events.feed import MOST, read_page
from oja_web.auth import declare_access
from oja_web.internal import refuse_strangers
from oja_web.problems import Problem
from oja_web.throttling import unlimited


def register_feed(app: Flask, engine: Engine, token: str) -> None:
    """Serve GET /internal/events?after=&limit=&types=&older_than=&consumer= to who has the token.

    `after` is a position (0 for the beginning), `types` a list with commas, `older_than` seconds.
    """

    def events() -> Response:
        refuse_strangers(token)
        types = request.args.get("types")
        page = read_page(
            engine,
            after=_whole("after", 0, at_most=2**62),
            limit=_whole("limit", MOST, at_most=MOST) or 1,
            types=types.split(",") if types is not None else None,
            older_than=float(_whole("older_than", 0, at_most=86_400)),
            consumer=request.args.get("consumer"),
        )
        return Response(msgspec.json.encode(page), content_type="application/json")

    view = declare_access(unlimited(events), "internal", security=[])
    app.add_url_rule("/internal/events", view_func=view)


def _whole(name: str, default: int, *, at_most: int) -> int:
    text = request.args.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= at_most):
        raise Problem(400, "bad_request", f"{name} must be a whole number up to {at_most}.")
    return int(text)
