"""Uploaded files and what Cloudinary says about them."""

import hashlib
import json
import secrets
import sqlite3
import time
from collections.abc import Mapping
from typing import Any

from PIL import Image

from sandbox.books import Books, at_text
from sandbox.cloudinary import signature
from sandbox.cloudinary.errors import CloudinaryError
from sandbox.cloudinary.pictures import open_picture, transform
from sandbox.cloudinary.transformations import parse_chain
from sandbox.paystack.transactions import random_text
from sandbox.settings import CloudinaryAccount

JSON = dict[str, Any]
IMAGE_LIMIT = 10_485_760  # bytes, the free plan's


class Assets:
    """`delivery_url` is where the public finds the files, without the cloud's name."""

    def __init__(self, books: Books, account: CloudinaryAccount, delivery_url: str) -> None:
        self._books, self._account = books, account
        self._delivery_url = f"{delivery_url}/{account.cloud}"

    def upload(self, kind: str, params: Mapping[str, str], content: bytes, filename: str) -> JSON:
        """Store a file; the answer that the caller of the API gets."""
        kind, extension = _recognise(kind, content, filename, params)
        content, extension = _incoming(kind, params, content, extension)
        type_, public_id = params.get("type") or "upload", _public_id(params, filename)
        with self._books.writing():
            existing = self.find(kind, type_, public_id)
            if existing and params.get("overwrite") in ("0", "false"):
                return self.shown(existing) | {"existing": True}
            self._store(kind, type_, public_id, extension, existing, params, content, filename)
        stored = self.find(kind, type_, public_id)
        if stored is None:
            raise CloudinaryError(404, f"Resource not found - {public_id}")
        return self.uploaded(stored, params)

    def find(self, kind: str, type_: str, public_id: str) -> sqlite3.Row | None:
        return self._books.row(
            "SELECT * FROM assets WHERE resource_type = ? AND type = ? AND public_id = ?",
            kind,
            type_,
            public_id,
        )

    def select(self, kind: str, type_: str | None, prefix: str) -> list[sqlite3.Row]:
        """Newest first."""
        return self._books.rows(
            "SELECT * FROM assets WHERE resource_type = ?1 AND (?2 IS NULL OR type = ?2)"
            " AND substr(public_id, 1, length(?3)) = ?3 ORDER BY version DESC, public_id",
            kind,
            type_,
            prefix,
        )

    def destroy(self, kind: str, type_: str, public_id: str) -> bool:
        """True if it was there."""
        with self._books.writing():
            found = self.find(kind, type_, public_id) is not None
            self._books.write(
                "DELETE FROM assets WHERE resource_type = ? AND type = ? AND public_id = ?",
                kind,
                type_,
                public_id,
            )
        return found

    def uploaded(self, row: sqlite3.Row, params: Mapping[str, str]) -> JSON:
        answer = self.shown(row)
        text = f"public_id={row['public_id']}&version={row['version']}"
        answer["signature"] = signature.sign(text, self._account.secret)
        answer["api_key"] = self._account.key
        if params.get("eager"):
            answer["eager"] = [self._eager(row, one) for one in params["eager"].split("|")]
        return answer

    def shown(self, row: sqlite3.Row) -> JSON:
        url = self.url(row)
        facts: JSON = json.loads(row["facts"])
        head = {
            "asset_id": row["asset_id"],
            "public_id": row["public_id"],
            "version": row["version"],
            "version_id": facts["etag"],
        }
        return (
            head
            | facts
            | {
                "format": row["format"],
                "resource_type": row["resource_type"],
                "type": row["type"],
                "placeholder": False,
                "url": url,
                "secure_url": url,
            }
        )

    def url(self, row: sqlite3.Row, transformation: str = "", extension: str = "") -> str:
        ending = extension or row["format"]
        parts = [self._delivery_url, row["resource_type"], row["type"], transformation]
        parts += [f"v{row['version']}", row["public_id"]]
        is_raw = row["resource_type"] == "raw" or not ending
        return "/".join(part for part in parts if part) + ("" if is_raw else f".{ending}")

    def _eager(self, row: sqlite3.Row, text: str) -> JSON:
        # A trailing segment without an underscore is the format: `w_300,c_fit/png`.
        chain, _, last = text.rpartition("/")
        wanted = last if chain and "_" not in last else ""
        steps = parse_chain(chain if wanted else text)
        picture = transform(row["content"], steps, wanted or row["format"], accept="")
        url = self.url(row, chain if wanted else text, picture.extension)
        return {
            "transformation": text,
            "width": picture.width,
            "height": picture.height,
            "bytes": len(picture.content),
            "format": picture.extension,
            "url": url,
            "secure_url": url,
        }

    def _store(
        self,
        kind: str,
        type_: str,
        public_id: str,
        extension: str,
        existing: sqlite3.Row | None,
        params: Mapping[str, str],
        content: bytes,
        filename: str,
    ) -> None:
        facts = _facts(kind, public_id, params, content, filename)
        self._books.write(
            "INSERT OR REPLACE INTO assets VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            kind,
            type_,
            public_id,
            existing["asset_id"] if existing else secrets.token_hex(16),
            _version(existing),
            extension,
            json.dumps(facts),
            content,
        )


def _recognise(
    kind: str, content: bytes, filename: str, params: Mapping[str, str]
) -> tuple[str, str]:
    """The resource type that `auto` turns out to be, and the file's format."""
    if kind == "image" and len(content) > IMAGE_LIMIT:
        text = f"File size too large. Got {len(content)}. Maximum is {IMAGE_LIMIT}."
        raise CloudinaryError(400, text)
    extension = filename.rpartition(".")[2].lower() if "." in filename else ""
    if kind in ("image", "auto"):
        try:
            extension = _format_of(open_picture(content))
            kind = "image"
        except CloudinaryError:
            if kind == "image":
                raise
            kind = "raw"
    allowed = [name.strip() for name in params.get("allowed_formats", "").split(",") if name]
    if allowed and extension not in allowed:
        text = f"Image file format {extension} not allowed"
        raise CloudinaryError(400, text)
    return kind, extension


def _incoming(
    kind: str, params: Mapping[str, str], content: bytes, extension: str
) -> tuple[bytes, str]:
    """Apply the transformation and format that are to be stored instead of the original."""
    chain, wanted = params.get("transformation", ""), params.get("format", "")
    if kind != "image" or not (chain or wanted):
        return content, extension
    picture = transform(content, parse_chain(chain), wanted or extension, accept="")
    return picture.content, picture.extension


def _public_id(params: Mapping[str, str], filename: str) -> str:
    name = params.get("public_id", "")
    if not name and params.get("use_filename") in ("1", "true"):
        stem = (params.get("filename_override") or filename).rpartition(".")[0] or filename
        unique = params.get("unique_filename") not in ("0", "false")
        name = f"{stem}_{random_text(6)}" if unique else stem
    name = name or random_text(20)
    folder = params.get("folder", "").strip("/")
    return f"{folder}/{name}" if folder else name


def _version(existing: sqlite3.Row | None) -> int:
    # Two uploads within a second must still differ, or a browser would show the old one.
    return max(int(time.time()), existing["version"] + 1 if existing else 0)


def _facts(
    kind: str, public_id: str, params: Mapping[str, str], content: bytes, filename: str
) -> JSON:
    facts: JSON = {}
    if kind == "image":
        picture = open_picture(content)
        facts = {"width": picture.width, "height": picture.height, "pages": 1}
    facts |= {
        "created_at": at_text(time.time())[:19] + "Z",
        "tags": [tag for tag in params.get("tags", "").split(",") if tag],
        "bytes": len(content),
        "etag": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "asset_folder": params.get("asset_folder") or params.get("folder", ""),
        "display_name": public_id.rpartition("/")[2],
        "original_filename": filename.rpartition(".")[0] or filename,
    }
    if params.get("context"):
        facts["context"] = {"custom": _context(params["context"])}
    return facts


def _context(text: str) -> dict[str, str]:
    """`alt=A mug|price\\=old=5` as a dictionary; a backslash makes the next character plain."""
    pairs, key, piece, plain = {}, None, "", False
    for letter in [*text, "|"]:
        if plain or letter not in "\\=|" or (letter == "=" and key is not None):
            piece, plain = piece + letter, False
        elif letter == "\\":
            plain = True
        elif letter == "=":
            key, piece = piece, ""
        else:
            pairs[key or piece] = piece
            key, piece = None, ""
    return pairs


def _format_of(picture: Image.Image) -> str:
    return {"jpeg": "jpg"}.get(str(picture.format).lower(), str(picture.format).lower())
