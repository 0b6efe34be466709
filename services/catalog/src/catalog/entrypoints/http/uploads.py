"""Bodies that are files: of the right type, and not too many bytes, before anybody reads them."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import request
from werkzeug.exceptions import UnsupportedMediaType

P = ParamSpec("P")
R = TypeVar("R")

MOST_PARTS = 20


def takes_upload(*mimetypes: str, max_bytes: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Below the permission, above the arguments: another type gets 415, more bytes 413."""

    def limited(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def limited_view(*args: P.args, **kwargs: P.kwargs) -> R:
            if request.mimetype not in mimetypes:
                raise UnsupportedMediaType
            request.max_content_length = max_bytes
            request.max_form_parts = MOST_PARTS
            return view(*args, **kwargs)

        return limited_view

    return limited
