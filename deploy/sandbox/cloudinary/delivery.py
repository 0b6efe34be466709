"""The routes under /cloudinary-delivery: what was uploaded, changed as the URL says."""

import hmac
import mimetypes
import re
import sqlite3
from collections.abc import Sequence
from functools import lru_cache

from flask import Blueprint, Response, request

from sandbox.cloudinary import signature
from sandbox.cloudinary.errors import CloudinaryError
from sandbox.cloudinary.pictures import PILLOW_NAMES, Picture, transform
from sandbox.cloudinary.transformations import parse, split
from sandbox.parts import parts

blp = Blueprint("delivery", __name__, url_prefix="/cloudinary-delivery")
_SIGNED = re.compile(r"s--([A-Za-z0-9_-]{8}|[A-Za-z0-9_-]{32})--")


@blp.errorhandler(CloudinaryError)
def refused(error: CloudinaryError) -> Response:
    # One line, whatever the URL contained: header values cannot hold more.
    reason = " ".join(error.message.split()).encode("ascii", "replace").decode()
    return Response(status=error.http, headers={"X-Cld-Error": reason})


@blp.get("/<cloud>/<kind>/<type_>/<path:rest>")
def deliver(cloud: str, kind: str, type_: str, rest: str) -> Response:
    if cloud != parts().settings.cloudinary.cloud:
        raise CloudinaryError(401, f"Invalid cloud_name {cloud}")
    segments = rest.split("/")
    signed = _SIGNED.fullmatch(segments[0])
    chain, name = split(segments[1:] if signed else segments)
    _check_signature(signed.group(1) if signed else None, type_, [*chain, *name])
    row, extension = _find(kind, type_, "/".join(name))
    if kind != "image":
        return _answer(row["content"], _mimetype(name[-1]), row)
    picture = _changed(row, chain, extension)
    return _answer(picture.content, _mimetype(f"a.{picture.extension}"), row)


def _check_signature(given: str | None, type_: str, segments: Sequence[str]) -> None:
    if given is None:
        if type_ in ("private", "authenticated"):
            raise CloudinaryError(401, "unsigned URL where a signed one is required")
        return
    secret = parts().settings.cloudinary.secret
    expected = signature.sign_delivery("/".join(segments), secret, len(given))
    if not hmac.compare_digest(expected, given):
        raise CloudinaryError(401, "Invalid signature")


def _find(kind: str, type_: str, name: str) -> tuple[sqlite3.Row, str]:
    """The asset and the asked-for format; only an image's extension is not part of its id."""
    stem, dot, extension = name.rpartition(".")
    candidates = [(name, "")]
    if kind != "raw" and dot:
        candidates.insert(0, (stem, extension.lower()))
    for public_id, ending in candidates:
        row = parts().assets.find(kind, type_, public_id)
        if row is not None:
            return row, ending
    raise CloudinaryError(404, f"Resource not found - {stem or name}")


def _changed(row: sqlite3.Row, chain: Sequence[str], extension: str) -> Picture:
    unchanged = not chain and extension in ("", row["format"])
    if unchanged or (not chain and extension not in PILLOW_NAMES):
        return Picture(row["content"], row["format"], 0, 0)
    return _derived(row["content"], tuple(chain), extension, request.headers.get("Accept", ""))


@lru_cache(maxsize=256)
def _derived(content: bytes, chain: tuple[str, ...], extension: str, accept: str) -> Picture:
    return transform(content, [parse(component) for component in chain], extension, accept)


def _mimetype(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _answer(content: bytes, mimetype: str, row: sqlite3.Row) -> Response:
    answer = Response(content, mimetype=mimetype)
    answer.headers["Cache-Control"] = "public, no-transform, max-age=2592000"
    answer.headers["Access-Control-Allow-Origin"] = "*"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Vary"] = "Accept"
    answer.add_etag()
    answer.make_conditional(request)
    return answer
