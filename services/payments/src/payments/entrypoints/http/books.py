"""Whether everything adds up, for staff: the result of the latest audit."""

from flask import Response

from oja_web.auth import requires
from oja_web.blueprint import Blueprint
from oja_web.strict_json import json_response
from payments.entrypoints.http.dependencies import deps
from payments.entrypoints.http.schemas import BooksSchema

_NOT_YET: dict[str, object] = {
    "status": "unknown",
    "began_at": None,
    "since": None,
    "seconds": None,
    "rules": [],
}

blp = Blueprint(
    "admin-books", __name__, url_prefix="/api/admin/books", description="Does everything add up?"
)


@blp.get("")
@requires("audit:read")
@blp.response(200, BooksSchema)
def show_books() -> Response:
    """Whether stock, orders, money, mails and events add up

    What the latest audit found, which is at most some seconds old. A rule is green, red with the
    first hundred faults, or unknown if somebody whom it needs did not answer.
    """
    return json_response(deps().queries.books() or _NOT_YET, headers={"Cache-Control": "no-store"})
