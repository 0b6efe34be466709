"""What makes a service refuse a request that its OpenAPI document allows: no schema can say it."""

import re
from collections.abc import Mapping, Sequence

_INDEX = re.compile(r"\d+")

# By the last name in the path of `errors`; anything else is a hole in the document.
BEYOND_SCHEMAS = {
    "cursor": "it must be one that we have given",
    "category": "it must exist",
    "parent": "it must exist",
    "sku": "it must be for sale",
    "variants": "their options must differ",
    "options": "their options must differ",
    "compare_at_price": "it must be above the price",
    "currency": "it must be the shop's",
    "file": "it must be a picture, or a table",
    "email": "its host name must be one that mail can go to",
    "phone": "it must have as many digits as its country wants",
    "password": "it must not be weak, and be the right one where it is asked for",
    "current_password": "it must be the right one",
    "password_confirm": "it must be the password again",
    "roles": "they must exist",
    "permissions": "they must exist",
    "reason": "a cancellation needs one",
    "tracking": "only a shipped order has it",
    "callback_url": "it must lead back to the shop",
    "amount": "nothing is no refund",
    "url": "its host name must be one",
    "html": "it must be a template that fits",
    "text": "it must be a template that fits",
    "subject": "it must be a template that fits",
    "draft": "it must be a template that fits",
    "body": "at least one of its fields",
    "shipping_address": "either it or address_id",
    "token": "it must be one that we have sent",
}
# Whatever is wrong inside of it: OpenAPI cannot describe a table.
_FREE = {"file"}


def unforeseen(errors: Mapping[str, Sequence[str]]) -> set[str]:
    """The refused fields that a schema could have spoken of."""
    return {path for path in errors if not _is_beyond(path)}


def _is_beyond(path: str) -> bool:
    parts = [part for part in path.split(".") if not _INDEX.fullmatch(part)]
    return parts[-1] in BEYOND_SCHEMAS or bool(_FREE.intersection(parts))
