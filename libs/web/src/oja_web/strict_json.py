"""Strict JSON: what another parser in the chain could read differently is refused."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from flask import Request, Response
from flask.json.provider import JSONProvider
from marshmallow import Schema, ValidationError
from webargs.core import missing
from webargs.flaskparser import FlaskParser
from webargs.multidictproxy import MultiDictProxy
from werkzeug.exceptions import UnsupportedMediaType

MAX_DEPTH = 64
# Anything that BIGINT can hold has at most 19 digits.
_MAX_NUMBER_LENGTH = 40
_MAX_INTEGER_LENGTH = 20
UNHELD = math.inf
# NUL cannot be stored by Postgres; half a surrogate pair cannot be written as UTF-8.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class BadJSON(ValueError):
    """The body is not JSON that we accept; the message says why and is safe to show."""


def decode(body: bytes | str) -> Any:
    """Parse UTF-8 JSON; refuse duplicate keys, NaN, deep nesting, unstorable text.

    A number that nothing of ours could hold is JSON all the same. It becomes UNHELD, which no field
    takes, so that the refusal (422) names the field.
    """
    try:
        text = body.decode() if isinstance(body, bytes) else body
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_float,
            parse_int=_integer,
        )
    except UnicodeDecodeError:
        raise BadJSON("The body is not UTF-8.") from None
    except RecursionError:
        raise BadJSON(_TOO_DEEP) from None
    except json.JSONDecodeError as error:
        raise BadJSON(f"The body is not JSON: {error.msg} at {error.pos}.") from None
    _check(value, 1)
    return value


_TOO_DEEP = f"The body is nested deeper than {MAX_DEPTH} levels."


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise BadJSON("A key occurs twice in the same object.")
    return value


def _refuse_constant(name: str) -> None:
    raise BadJSON(f"{name} is not a JSON value.")


def _integer(digits: str) -> float:
    return int(digits) if len(digits) <= _MAX_INTEGER_LENGTH else UNHELD


def _float(digits: str) -> float:
    return float(digits) if len(digits) <= _MAX_NUMBER_LENGTH else UNHELD


def _check(value: object, depth: int) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict | list):
        if depth > MAX_DEPTH:
            raise BadJSON(_TOO_DEEP)
        if isinstance(value, dict):
            for key in value:
                _check_text(key)
            value = list(value.values())
        for inner in value:
            _check(inner, depth + 1)


def _check_text(text: str) -> None:
    if _UNSTORABLE.search(text):
        raise BadJSON("Text contains NUL or half a surrogate pair.")


def _plain(value: object) -> object:
    """For what msgspec does not know by itself (UUIDs, datetimes and structs it does)."""
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "__html__"):
        return str(value.__html__())
    raise TypeError(f"{type(value).__name__} has no JSON form")


_encoder = msgspec.json.Encoder(enc_hook=_plain, decimal_format="string", uuid_format="canonical")


def encode(value: object) -> bytes:
    """JSON bytes. UUIDs are canonical; an aware UTC datetime ends in Z, so hand over UTC ones."""
    return _encoder.encode(value)


def json_response(
    value: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A response without a marshmallow dump: for hot reads, whose data are in their final form."""
    return Response(encode(value), status, headers, content_type="application/json")


class StrictJSONProvider(JSONProvider):
    """What Flask itself uses for jsonify, get_json and returned dicts."""

    def dumps(self, obj: Any, **_formatting: Any) -> str:
        return encode(obj).decode()

    def loads(self, s: str | bytes, **_options: Any) -> Any:
        return decode(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        return json_response(self._prepare_response_obj(args, kwargs))


class StrictParser(FlaskParser):
    """How blueprints read requests: strict JSON bodies, unambiguous query strings."""

    def load_json(self, req: Request, schema: Schema) -> Any:
        body = req.get_data(cache=True)
        if req.mimetype != "application/json" and (body or req.mimetype):
            raise UnsupportedMediaType
        return decode(body) if body else _nothing(schema)

    def load_querystring(self, req: Request, schema: Schema) -> MultiDictProxy:
        proxy = self._makeproxy(req.args, schema)
        _refuse_repetition(req, proxy, schema)
        return proxy


def _nothing(schema: Schema) -> Any:
    """No body at all: required fields say so, and where there is none, the body is missing."""
    if schema.partial or not any(field.required for field in schema.fields.values()):
        raise ValidationError({"_schema": ["Send a JSON object."]})
    return missing


def _refuse_repetition(req: Request, proxy: MultiDictProxy, schema: Schema) -> None:
    names = {field.data_key or name for name, field in schema.fields.items()}
    repeated = [
        name for name in sorted(names - proxy.multiple_keys) if len(req.args.getlist(name)) > 1
    ]
    if repeated:
        raise ValidationError({name: ["May be given only once."] for name in repeated})
