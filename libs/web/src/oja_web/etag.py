"""Strong ETags from version numbers: lost updates are refused, unchanged reads not sent again.

@blp.patch("/<uuid:order_id>")
@requires("orders:write")
@changes_what_was_seen
@blp.arguments(MoveSchema)
def move_order(body, order_id):
    commands.move(order_id, body, precondition=if_match, uow=deps().unit_of_work())
"""

from collections.abc import Callable
from copy import deepcopy
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import Response, g, request

from oja_web.problems import Problem

P = ParamSpec("P")
R = TypeVar("R")

HEADER = "If-Match"


def etag_of(version: int | str) -> str:
    """The tag, without quotes. It must change with every byte that clients may see."""
    return f"v{version}"


def set_etag(response: Response, version: int | str) -> Response:
    response.set_etag(etag_of(version))
    return response


def changes_what_was_seen(view: Callable[P, R]) -> Callable[P, R]:
    """Refuse requests without If-Match before their body is read (428), and document the header.

    The view must come to `if_match` with the version that it changes: one that succeeds without
    it raises RuntimeError.
    """

    @wraps(view)
    def checked_view(*args: P.args, **kwargs: P.kwargs) -> R:
        _require_header()
        g.oja_version_compared = False
        answer = view(*args, **kwargs)
        if not g.oja_version_compared:
            raise RuntimeError(f"{view.__name__} has not compared the version that it changed")
        return answer

    documented: Any = checked_view
    documented._apidoc = deepcopy(getattr(view, "_apidoc", {}))
    manual = documented._apidoc.setdefault("manual_doc", {})
    manual.setdefault("parameters", []).append(_PARAMETER)
    refusals = {"412": "PRECONDITION_FAILED", "428": "PRECONDITION_REQUIRED"}
    manual.setdefault("responses", {}).update(refusals)
    return checked_view


_PARAMETER = {
    "in": "header",
    "name": HEADER,
    "required": True,
    "description": "The ETag of what you have read and now change.",
    "schema": {"type": "string"},
}


def if_match(version: int | str) -> None:
    """Go on only if the client has seen this version: else 428 (no If-Match) or 412 (another one).

    Call it in the transaction that writes, on the row that it has locked or version-checks.
    """
    _require_header()
    g.oja_version_compared = True
    if not request.if_match.contains(etag_of(version)):
        raise Problem(
            412,
            "precondition_failed",
            "This was changed since you have read it. Read it again, then decide.",
            headers={"ETag": f'"{etag_of(version)}"'},
        )


def _require_header() -> None:
    if HEADER not in request.headers:
        raise Problem(
            428, "precondition_required", "Send If-Match with the ETag that you have read."
        )


def not_modified(version: int | str) -> Response | None:
    """A 304 to return at once if the client has this version already, else None."""
    if request.if_none_match.contains_weak(etag_of(version)):
        return set_etag(Response(status=304), version)
    return None
