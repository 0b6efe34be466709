"""Bodies that are files: of the right type, and not too many bytes, before anybody reads them."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import request
from werkzeug.exceptions import UnsupportedMediaType

P = ParamSpec("P")
R = TypeVar("R")

MOST_PARTS = 20


def form(properties: Mapping[str, Any], *required: str) -> dict[str, Any]:
    """The schema of a form with these fields and no others."""
    shape: dict[str, Any] = {"type": "object", "properties": dict(properties)}
    return {**shape, "additionalProperties": False, "required": list(required)}


def takes_upload(
    bodies: Mapping[str, Mapping[str, Any]], *, max_bytes: int
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Below the permission, above the arguments: another type gets 415, more bytes 413.

    `bodies` are the schemas by type, for OpenAPI: flask-smorest would document one part of a form.
    """

    def limited(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def limited_view(*args: P.args, **kwargs: P.kwargs) -> R:
            if request.mimetype not in bodies:
                raise UnsupportedMediaType
            request.max_content_length = max_bytes
            request.max_form_parts = MOST_PARTS
            return view(*args, **kwargs)

        return _documented(limited_view, bodies)

    return limited


def _documented(view: Callable[P, R], bodies: Mapping[str, Mapping[str, Any]]) -> Callable[P, R]:
    documented: Any = view
    documented._apidoc = deepcopy(getattr(view, "_apidoc", {}))
    arguments = documented._apidoc.get("arguments", {})
    arguments["parameters"] = [
        each for each in arguments.get("parameters", []) if each["in"] not in {"files", "form"}
    ]
    content = {mimetype: {"schema": schema} for mimetype, schema in bodies.items()}
    manual = documented._apidoc.setdefault("manual_doc", {})
    manual["requestBody"] = {"required": True, "content": content}
    return view
