"""Reading the JSON bodies of the control API; a misspelt field is refused, not ignored."""

from collections.abc import Mapping
from typing import Any

from flask import request

NUMBER = (int, float)


class BadBody(Exception):
    """The text says what is wrong with the request; answered with 400."""


def read(**fields: type | tuple[type, ...] | tuple[str, ...]) -> dict[str, Any]:
    """The body's fields, None where absent. A field is of a type or one of some words."""
    body = request.get_json(force=True, silent=True) if request.get_data() else {}
    if not isinstance(body, dict):
        raise BadBody("the body must be a JSON object")
    unknown = set(body) - set(fields)
    if unknown:
        raise BadBody(f"unknown fields: {_listed(unknown)}; known are: {_listed(fields)}")
    for name, value in body.items():
        _check(name, value, fields[name])
    return {name: body.get(name) for name in fields}


def times(value: Any, default: int | None = 1) -> int | None:
    """How often a switch works: a positive number, or 0 for until it is cleared."""
    if value is None:
        return default
    if value < 0:
        raise BadBody("times must not be negative")
    return value or None


def _check(name: str, value: Any, wanted: Any) -> None:
    if value is None:
        return
    words = [one for one in wanted if isinstance(one, str)] if isinstance(wanted, tuple) else []
    if words:
        if value not in words:
            raise BadBody(f"{name} must be one of {_listed(words)}")
    elif not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        raise BadBody(f"{name} has the wrong type")
    elif isinstance(value, int | float) and value < 0:
        raise BadBody(f"{name} must not be negative")


def _listed(names: Any) -> str:
    return ", ".join(sorted(str(name) for name in names)) or "none"


def with_defaults(body: Mapping[str, Any], **defaults: Any) -> dict[str, Any]:
    """The body with defaults in place of what is absent."""
    given = {name: value for name, value in body.items() if value is not None}
    return {**dict.fromkeys(body), **defaults, **given}
