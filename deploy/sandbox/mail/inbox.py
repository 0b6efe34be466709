"""The inbox page and its JSON."""

from typing import Any

from flask import Blueprint, Response, abort, render_template, request

from sandbox.mail.mailbox import shown
from sandbox.parts import parts

blp = Blueprint("mail", __name__, url_prefix="/mail")


@blp.get("")
def inbox() -> str:
    recipient = request.args.get("recipient", "")
    mails = [shown(row) for row in parts().mailbox.search(recipient)]
    return render_template("inbox.html", mails=mails, recipient=recipient)


@blp.get("/<int:mail_id>")
def mail(mail_id: int) -> str:
    row = _find(mail_id)
    raw = row["raw"].decode(errors="replace")
    return render_template("mail.html", mail=shown(row), raw=raw)


@blp.get("/<int:mail_id>/html")
def html(mail_id: int) -> Response:
    answer = Response(shown(_find(mail_id))["html"], mimetype="text/html")
    # Whatever a mail contains, it runs no script and has no access to this site.
    answer.headers["Content-Security-Policy"] = "sandbox allow-popups; script-src 'none'"
    return answer


@blp.get("/<int:mail_id>/raw")
def raw(mail_id: int) -> Response:
    return Response(_find(mail_id)["raw"], mimetype="text/plain")


@blp.get("/messages")
def messages() -> dict[str, Any]:
    rows = parts().mailbox.search(
        request.args.get("recipient", ""),
        request.args.get("subject", ""),
        request.args.get("limit", 500, type=int),
    )
    return {"items": [shown(row) for row in rows]}


@blp.get("/messages/<int:mail_id>")
def message(mail_id: int) -> dict[str, Any]:
    return shown(_find(mail_id))


@blp.delete("/messages")
def delete_messages() -> tuple[str, int]:
    parts().mailbox.clear()
    return "", 204


def _find(mail_id: int) -> Any:
    row = parts().mailbox.find(mail_id)
    return row if row else abort(404)
