"""The routes under /cloudinary: the Upload and the Admin API."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

import requests
from flask import Blueprint, Response, jsonify, request

from sandbox.cloudinary import signature
from sandbox.cloudinary.errors import CloudinaryError
from sandbox.cloudinary.notifications import notify
from sandbox.parts import parts

blp = Blueprint("cloudinary", __name__, url_prefix="/cloudinary/v1_1/<cloud>")
KINDS = "any(image, raw, video, auto)"
TYPES = "any(upload, private, authenticated)"


@blp.before_request
def check_cloud() -> None:
    cloud = (request.view_args or {}).pop("cloud", "")
    if cloud != parts().settings.cloudinary.cloud:
        raise CloudinaryError(401, f"Invalid cloud_name {cloud}")


@blp.errorhandler(CloudinaryError)
def refused(error: CloudinaryError) -> Response:
    answer = jsonify({"error": {"message": error.message}})
    answer.status_code = error.http
    answer.headers["X-Cld-Error"] = error.message.encode("ascii", "replace").decode()
    return answer


@blp.after_request
def add_headers(response: Response) -> Response:
    """Uploads straight from a browser come from the shop's origin, so any may call."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Headers"] = "*"
    response.headers["Access-Control-Allow-Methods"] = "GET, POST, PUT, DELETE, OPTIONS"
    response.headers["x-request-id"] = secrets.token_hex(16)
    return response


@blp.post(f"/<{KINDS}:kind>/upload")
def upload(kind: str) -> Response:
    params = _params()
    _check_upload(params)
    content, filename = _file(params)
    answer = parts().assets.upload(kind, params, content, filename)
    notify("upload", answer, params.get("notification_url"))
    if params.get("async") in ("1", "true"):
        kept = {key: answer[key] for key in ("resource_type", "type", "public_id")}
        return jsonify({"status": "pending", **kept, "batch_id": answer["version_id"]})
    return jsonify(answer)


@blp.post(f"/<{KINDS}:kind>/destroy")
def destroy(kind: str) -> dict[str, str]:
    params = _params()
    _check_signed(params)
    if not params.get("public_id"):
        raise CloudinaryError(400, "Missing required parameter - public_id")
    found = parts().assets.destroy(kind, params.get("type") or "upload", params["public_id"])
    if found:
        notify("delete", {"resources": [_named(kind, params)]}, params.get("notification_url"))
    return {"result": "ok" if found else "not found"}


@blp.get("/ping")
def ping() -> dict[str, str]:
    _check_basic()
    return {"status": "ok"}


@blp.get(f"/resources/<{KINDS}:kind>")
@blp.get(f"/resources/<{KINDS}:kind>/<{TYPES}:type_>")
def resources(kind: str, type_: str | None = None) -> dict[str, Any]:
    _check_basic()
    prefix = request.args.get("prefix", "")
    skipped = request.args.get("next_cursor", 0, type=int)
    limit = min(500, request.args.get("max_results", 10, type=int))
    rows = parts().assets.select(kind, type_, prefix)
    shown = [parts().assets.shown(row) for row in rows[skipped : skipped + limit]]
    more = {"next_cursor": str(skipped + limit)} if len(rows) > skipped + limit else {}
    return {"resources": shown, **more}


@blp.get(f"/resources/<{KINDS}:kind>/<{TYPES}:type_>/<path:public_id>")
def resource(kind: str, type_: str, public_id: str) -> dict[str, Any]:
    _check_basic()
    row = parts().assets.find(kind, type_, public_id)
    if row is None:
        raise CloudinaryError(404, f"Resource not found - {public_id}")
    return parts().assets.shown(row) | {"derived": []}


@blp.delete(f"/resources/<{KINDS}:kind>/<{TYPES}:type_>")
def delete_resources(kind: str, type_: str) -> dict[str, Any]:
    _check_basic()
    deleted = {}
    for public_id in _to_delete(kind, type_):
        found = parts().assets.destroy(kind, type_, public_id)
        deleted[public_id] = "deleted" if found else "not_found"
    return {"deleted": deleted, "partial": False}


def _to_delete(kind: str, type_: str) -> list[str]:
    wishes = request.get_json(silent=True) or {**request.values.to_dict()}
    many = request.values.getlist("public_ids[]") or wishes.get("public_ids") or []
    prefix = "" if wishes.get("all") else wishes.get("prefix")
    if prefix is not None and not many:
        many = [row["public_id"] for row in parts().assets.select(kind, type_, prefix)]
    return [str(public_id) for public_id in many]


def _params() -> dict[str, str]:
    """The form, with `name[]` joined by commas as it is for signing."""
    return {
        name.removesuffix("[]"): ",".join(values) if name.endswith("[]") else values[-1]
        for name, values in request.form.lists()
    }


def _check_upload(params: Mapping[str, str]) -> None:
    if params.get("signature") or request.authorization:
        _check_signed(params)
    elif params.get("upload_preset"):
        raise CloudinaryError(400, "Upload preset not found")
    else:
        raise CloudinaryError(400, "Upload preset must be specified when using unsigned upload")


def _check_signed(params: Mapping[str, str]) -> None:
    if request.authorization:
        _check_basic()
        return
    if params.get("api_key") != parts().settings.cloudinary.key:
        raise CloudinaryError(401, "Unknown API key ")
    signature.check(params, parts().settings.cloudinary.secret)


def _check_basic() -> None:
    account, given = parts().settings.cloudinary, request.authorization
    if given is None or given.username != account.key:
        raise CloudinaryError(401, "Unknown API key ")
    if not hmac.compare_digest((given.password or "").encode(), account.secret.encode()):
        raise CloudinaryError(401, "api_secret mismatch")


def _file(params: Mapping[str, str]) -> tuple[bytes, str]:
    """The bytes of a file, a data URI or a remote URL, and its name."""
    if "file" in request.files:
        sent = request.files["file"]
        return sent.read(), params.get("filename_override") or sent.filename or "file"
    source = params.get("file", "")
    if source.startswith("data:"):
        return _from_data_uri(source), "file"
    if source.startswith(("http://", "https://")):
        return _from_url(source), source.rpartition("/")[2]
    raise CloudinaryError(400, "Missing required parameter - file")


def _from_data_uri(text: str) -> bytes:
    head, _, data = text.partition(",")
    try:
        is_base64 = head.endswith(";base64")
        return base64.b64decode(data, validate=True) if is_base64 else unquote_to_bytes(data)
    except binascii.Error:
        raise CloudinaryError(400, "Invalid image file") from None


def _from_url(url: str) -> bytes:
    try:
        answer = requests.get(url, timeout=10)
        answer.raise_for_status()
    except requests.RequestException:
        raise CloudinaryError(404, f"Resource not found - {url}") from None
    return answer.content


def _named(kind: str, params: Mapping[str, str]) -> dict[str, str]:
    return {
        "resource_type": kind,
        "type": params.get("type") or "upload",
        "public_id": params["public_id"],
    }
