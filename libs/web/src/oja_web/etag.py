"""Strong ETags from version numbers: lost updates are refused, unchanged reads not sent again."""

from flask import Response, request

from oja_web.problems import Problem


def etag_of(version: int | str) -> str:
    """The tag, without quotes. It must change with every byte that clients may see."""
    return f"v{version}"


def set_etag(response: Response, version: int | str) -> Response:
    response.set_etag(etag_of(version))
    return response


def if_match(version: int | str) -> None:
    """Go on only if the client has seen this version: else 428 (no If-Match) or 412 (another one).

    Call it in the transaction that writes, on the row that it has locked or version-checks.
    """
    if "If-Match" not in request.headers:
        raise Problem(
            428, "precondition_required", "Send If-Match with the ETag that you have read."
        )
    if not request.if_match.contains(etag_of(version)):
        raise Problem(
            412,
            "precondition_failed",
            "This was changed since you have read it. Read it again, then decide.",
            headers={"ETag": f'"{etag_of(version)}"'},
        )


def not_modified(version: int | str) -> Response | None:
    """A 304 to return at once if the client has this version already, else None."""
    if request.if_none_match.contains_weak(etag_of(version)):
        return set_etag(Response(status=304), version)
    return None
