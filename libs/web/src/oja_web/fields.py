"""marshmallow fields that take exactly what the contract says, and no look-alikes of it."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from marshmallow import EXCLUDE, RAISE, Schema, fields, validate

from oja_web.countries import COUNTRIES

MAX_AMOUNT = 10**15
MAX_QUANTITY = 1000

# Control characters, half surrogates, line separators, and marks that reverse the text after them.
_CONTROLS = r"\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069"
_FORBIDDEN = rf"{_CONTROLS}\ud800-\udfff"
_NOT_ON_ONE_LINE = re.compile(rf"[{_FORBIDDEN}]")
_NOT_ON_MANY_LINES = re.compile(rf"(?![\n\t])[{_FORBIDDEN}]")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DIGITS = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def _within(low: int | None, high: int | None, options: dict[str, Any]) -> list[Any]:
    given = _as_list(options.pop("validate", None))
    if low is None and high is None:
        return given
    return [validate.Range(min=low, max=high), *given]


def _as_list(validators: Any) -> list[Any]:
    if validators is None:
        return []
    return list(validators) if isinstance(validators, list | tuple) else [validators]


class StrictSchema(Schema):
    """Base of every write body: a field that the schema does not know is an error."""

    class Meta:
        unknown = RAISE


class QuerySchema(Schema):
    """Base of query strings: unknown parameters are ignored, trackers like to append their own."""

    class Meta:
        unknown = EXCLUDE


class StrictInteger(fields.Integer):
    """A JSON integer: not true, not 1.0, not "1"."""

    default_error_messages = {"invalid": "Must be an integer."}  # noqa: RUF012

    def __init__(self, *, min: int | None = None, max: int | None = None, **options: Any) -> None:
        super().__init__(strict=True, validate=_within(min, max, options), **options)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> int:
        if type(value) is not int:
            raise self.make_error("invalid")
        return value


class QueryInteger(fields.Integer):
    """An integer in a query string, in ASCII digits."""

    default_error_messages = {"invalid": "Must be an integer."}  # noqa: RUF012

    def __init__(self, *, min: int | None = None, max: int | None = None, **options: Any) -> None:
        super().__init__(validate=_within(min, max, options), **options)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> int:
        if not isinstance(value, str) or not _DIGITS.fullmatch(value):
            raise self.make_error("invalid")
        return int(value)


class QueryBoolean(fields.Boolean):
    """`true` or `false` in a query string."""

    default_error_messages = {"invalid": "Must be true or false."}  # noqa: RUF012
    truthy = {"true"}  # noqa: RUF012
    falsy = {"false"}  # noqa: RUF012


class StrictBoolean(fields.Boolean):
    """A JSON boolean: not 1, not "yes"."""

    default_error_messages = {"invalid": "Must be true or false."}  # noqa: RUF012

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class Quantity(StrictInteger):
    """How many pieces: 1 to 1000."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min=1, max=MAX_QUANTITY, **options)


def text_pattern(min: int, *, multiline: bool = False) -> str:
    """What OpenAPI can say of a text: blank ends are cut off, then something must be left.

    Half surrogates are missing: where characters are UTF-16, a class of them hits whole ones too.
    """
    allowed = rf"(?:[^{_CONTROLS}]|\t|\r?\n)" if multiline else rf"[^{_CONTROLS}]"
    visible = rf"[^\s{_CONTROLS}]"
    core = f"{visible}(?:{allowed}*{visible})?"
    return rf"^\s*{core if min else f'(?:{core})?'}\s*$"


class Text(fields.String):
    """Text in NFC, trimmed, `min` to `max` characters, one line unless `multiline`."""

    default_error_messages = {  # noqa: RUF012
        "characters": "Contains characters that are not allowed.",
    }

    def __init__(
        self, min: int = 1, max: int = 200, *, multiline: bool = False, **options: Any
    ) -> None:
        self.multiline = multiline
        self._at_most = validate.Length(max=max)
        own = _as_list(options.pop("validate", None))
        if not any(isinstance(check, validate.Regexp) for check in own):
            documented = {"pattern": text_pattern(min, multiline=multiline)}
            options["metadata"] = documented | options.get("metadata", {})
        super().__init__(validate=[validate.Length(min=min, max=max), *own], **options)

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        self._at_most(text)  # blank ends count, as in the documented length
        if self.multiline:
            text = text.replace("\r\n", "\n")
        text = unicodedata.normalize("NFC", text).strip()
        forbidden = _NOT_ON_MANY_LINES if self.multiline else _NOT_ON_ONE_LINE
        if forbidden.search(text):
            raise self.make_error("characters")
        return text


class Country(fields.String):
    """An ISO 3166-1 alpha-2 code that is assigned to a country: `NG`, not `ng`, `UK` or `XX`."""

    def __init__(self, **options: Any) -> None:
        known = validate.OneOf(sorted(COUNTRIES), error="Must be an ISO 3166-1 alpha-2 code.")
        super().__init__(validate=known, **options)


class UUIDString(fields.UUID):
    """A UUID in its canonical form, with hyphens; loads to `uuid.UUID`."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> UUID:
        if not isinstance(value, str) or not _UUID.fullmatch(value):
            raise self.make_error("invalid_uuid")
        return UUID(value)


class AwareDateTime(fields.AwareDateTime):
    """An instant: RFC 3339 with an offset; loads to aware UTC, dumps with Z.

    Dumping a naive datetime raises ValueError: nobody knows which instant it means.
    """

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{attr} is a naive datetime")
        instant: datetime = value.astimezone(UTC)
        return instant.isoformat().replace("+00:00", "Z")

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> datetime:
        if not isinstance(value, str) or not _RFC3339.fullmatch(value):
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE) from None


class MoneySchema(StrictSchema):
    """An amount in minor units (kobo) and its currency."""

    amount = StrictInteger(min=0, max=MAX_AMOUNT, required=True)
    currency = fields.String(
        required=True,
        validate=[
            validate.Regexp(r"^[A-Z]{3}$", error="Must be an ISO 4217 code."),
            validate.Length(equal=3),  # the pattern alone lets a final newline pass
        ],
    )


class Money(fields.Nested):
    """{"amount": 450000, "currency": "NGN"}, from and to anything with these two names."""

    def __init__(self, **options: Any) -> None:
        super().__init__(MoneySchema, **options)
