"""Public answers with an ETag made of their bytes: it changes with whatever they depend on."""

from hashlib import blake2b
from typing import Any

from flask import Response

from oja_web.etag import not_modified, set_etag
from oja_web.strict_json import json_response


def tagged(body: Any) -> Response:
    """The answer, or 304 if the client has exactly this one."""
    response = json_response(body)
    tag = blake2b(response.get_data(), digest_size=16).hexdigest()
    return not_modified(tag) or set_etag(response, tag)
