"""Keyset pages: the cursor is the sort key of the last item, opaque to clients."""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate

from oja_web.fields import QueryBoolean, QueryInteger, QuerySchema
from oja_web.problems import Problem
from oja_web.strict_json import BadJSON, decode, encode

MAX_CURSOR_LENGTH = 1024
_BASE64URL = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_CURSOR_LENGTH}}}")
_READ: dict[type, Callable[[str], object]] = {UUID: UUID, datetime: datetime.fromisoformat}


class PageQuery(QuerySchema):
    """?size=, ?cursor=, ?total=; extend it with the filters of a list."""

    size = QueryInteger(min=1, max=100, load_default=24)
    cursor = fields.String(
        load_default=None, validate=validate.Length(min=1, max=MAX_CURSOR_LENGTH)
    )
    total = QueryBoolean(load_default=False)


def page_schema(item: type[Schema], name: str) -> type[Schema]:
    """The schema of one page of `item`; `name` is its name in OpenAPI."""
    return Schema.from_dict(
        {
            "items": fields.List(fields.Nested(item), required=True),
            "next": fields.String(required=True, allow_none=True),
            "total": fields.Integer(),
        },
        name=name,
    )


def page(items: Sequence[Any], next_cursor: str | None, total: int | None = None) -> dict[str, Any]:
    """The body of a list answer."""
    body: dict[str, Any] = {"items": items, "next": next_cursor}
    return body if total is None else {**body, "total": total}


def encode_cursor(values: Sequence[object]) -> str:
    """Pack the sort key of a page's last item: strings, integers, None, UUIDs, aware datetimes."""
    return base64.urlsafe_b64encode(encode(list(values))).decode().rstrip("=")


def decode_cursor(text: str | None, types: Sequence[type]) -> tuple[Any, ...] | None:
    """Unpack a cursor into values of `types` (each may be None); None when there is no cursor.

    A cursor is client input like any other: whatever does not fit raises a 422 problem.
    """
    if text is None:
        return None
    try:
        return _unpacked(text, types)
    except (ValueError, TypeError, binascii.Error, OverflowError, BadJSON):
        raise Problem(
            422,
            "invalid",
            "The cursor is not one of ours.",
            errors={"cursor": ["Not a valid cursor."]},
        ) from None


def _unpacked(text: str, types: Sequence[type]) -> tuple[Any, ...]:
    if not _BASE64URL.fullmatch(text):
        raise ValueError("not base64url")
    values = decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    if not isinstance(values, list) or len(values) != len(types):
        raise ValueError("another sort key")
    return tuple(_value(value, kind) for value, kind in zip(values, types, strict=True))


def _value(value: object, kind: type) -> object:
    if value is None:
        return None
    if kind in _READ:
        if not isinstance(value, str):
            raise TypeError("not text")
        value = _READ[kind](value)
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ValueError("naive datetime")
        return value
    # bool is an int to Python, not to SQL
    if type(value) is not kind or (kind is int and abs(value) >= 2**63):  # type: ignore[arg-type]
        raise TypeError("another type")
    return value
