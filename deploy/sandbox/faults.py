"""What is done to the providers' API calls from outside: they are listed, and may go wrong.

rate_limit   429 with Paystack's headers, or Cloudinary's 420
error        `status` (500), before the work or, with `when: after`, after it
hang         waits `seconds`, before or after the work
drop_answer  closes the connection without an answer, after the work or before it
"""

import json
import time
from typing import Any

from flask import Flask, Response, g, jsonify, request

from sandbox.books import now_text
from sandbox.log import logger
from sandbox.parts import parts
from sandbox.paystack import errors
from sandbox.server import break_off
from sandbox.switches import Setting

log = logger("calls")
PREFIXES = {
    "/paystack/": "paystack",
    "/cloudinary/": "cloudinary",
    "/cloudinary-delivery/": "delivery",
}
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
SECRETS = ("api_key", "signature", "api_secret", "file")
KEPT_CALLS = 20_000  # or a few more
PRUNED_EVERY = 100


def install(app: Flask) -> None:
    app.before_request(_before)
    app.after_request(_after)


def _before() -> Response | None:
    g.began = time.perf_counter()
    g.provider = next((name for at, name in PREFIXES.items() if request.path.startswith(at)), None)
    g.fault = parts().switches.take(g.provider, _fits) if g.provider else None
    return _play(g.fault, "before") if g.fault else None


def _after(response: Response) -> Response:
    if g.provider is None:
        return response
    fault, g.fault = g.fault, None
    if fault:
        response = _play(fault, "after") or response
    _record(response)
    return response


def _fits(setting: Setting) -> bool:
    method, path = setting["method"], setting["path"]
    return method in (None, request.method) and (path is None or path in request.path)


def _play(fault: Setting, moment: str) -> Response | None:
    if fault["when"] != moment:
        return None
    if fault["fault"] == "hang":
        parts().stopping.wait(float(fault["seconds"]))
        return None
    if fault["fault"] == "drop_answer":
        break_off(request.environ)
        return Response(status=503)
    return _refusal(fault)


def _refusal(fault: Setting) -> Response:
    limited = fault["fault"] == "rate_limit"
    if g.provider == "paystack":
        error = errors.rate_limited() if limited else errors.server_error(fault["status"])
        answer = error.response()
    else:
        text = "Rate Limit Exceeded" if limited else "General Error"
        answer = jsonify({"error": {"message": text}})
        answer.status_code = 420 if limited else fault["status"]
    if limited:
        answer.headers["x-ratelimit-limit"] = "100"
        answer.headers["x-ratelimit-remaining"] = "0"
        answer.headers["x-ratelimit-reset"] = str(int(fault["seconds"]))
    return answer


def _record(response: Response) -> None:
    milliseconds = round((time.perf_counter() - g.began) * 1000, 1)
    call = {"provider": g.provider, "method": request.method, "path": request.path}
    log.info("call", extra=call | {"status": response.status_code, "milliseconds": milliseconds})
    if g.provider == "delivery":  # a page of pictures would bury the calls that matter
        return
    books = parts().books
    call_id = books.insert(
        "calls",
        at=now_text(),
        fields=json.dumps(_fields()),
        status=response.status_code,
        milliseconds=milliseconds,
        **call,
    )
    if call_id % PRUNED_EVERY == 0:
        books.write("DELETE FROM calls WHERE id <= ?", call_id - KEPT_CALLS)


def _fields() -> dict[str, Any]:
    """What the caller sent, without secrets and files."""
    sent: dict[str, Any] = request.args.to_dict()
    if request.mimetype in FORMS:
        sent |= request.form.to_dict()
    if not sent and request.get_data():
        body = request.get_json(force=True, silent=True)
        sent |= body if isinstance(body, dict) else {}
    return {name: value for name, value in sent.items() if name not in SECRETS}
