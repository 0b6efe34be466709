"""S31: what answers may show, and S30: what bodies may hold, by the names in OpenAPI."""

from collections.abc import Iterator
from typing import Any

import pytest

from stack.services import SERVICES
from tests.contract.test_http import openapi_of, operations

# Nobody's business, whoever asks.
NEVER_SHOWN = {
    "password", "password_hash", "password_confirm", "current_password", "token_hash", "digest",
    "secret", "session_id", "cost", "cost_price", "authorization", "authorization_code",
    "customer_code", "card", "last4", "bin", "signature", "email_canonical", "credential",
}  # fmt: skip
# The service decides them; customers have no field for them.
SERVER_OWNED = {
    "id", "user_id", "customer_id", "role", "roles", "is_admin", "permissions", "status",
    "payment_status", "email_verified", "is_active", "verified_purchase", "total", "subtotal",
    "line_total", "unit_price", "price", "discount", "reserved", "on_hand", "available", "stock",
    "created_at", "updated_at", "paid_at", "version", "number", "reference",
}  # fmt: skip


def names_in(document: dict[str, Any], schema: Any, seen: set[str]) -> Iterator[str]:
    """Every property name in a schema and in those that it refers to."""
    if isinstance(schema, list):
        for each in schema:
            yield from names_in(document, each, seen)
    if not isinstance(schema, dict):
        return
    name = schema.get("$ref", "").rpartition("/")[2]
    if name and name not in seen:
        seen.add(name)
        yield from names_in(document, document["components"]["schemas"].get(name), seen)
    yield from schema.get("properties", {})
    for each in schema.values():
        if isinstance(each, dict | list):
            yield from names_in(document, each, seen)


def answers(service: str) -> Iterator[tuple[str, set[str]]]:
    for path, method, operation in operations(service):
        contents = [
            content.get("schema")
            for status, answer in operation["responses"].items()
            if status.startswith("2")
            for content in answer.get("content", {}).values()
        ]
        yield f"{method} {path}", set(names_in(openapi_of(service), contents, set()))


def bodies(service: str) -> Iterator[tuple[str, set[str]]]:
    for path, method, operation in operations(service):
        contents = operation.get("requestBody", {}).get("content", {}).values()
        schemas = [content.get("schema") for content in contents]
        yield f"{method} {path}", set(names_in(openapi_of(service), schemas, set()))


@pytest.mark.parametrize("service", SERVICES)
def test_s31_no_answer_has_a_field_for_a_secret(service: str) -> None:
    showing = {call: names & NEVER_SHOWN for call, names in answers(service)}

    assert not {call: names for call, names in showing.items() if names}


@pytest.mark.parametrize("service", SERVICES)
def test_s30_customers_have_no_field_for_what_the_service_decides(service: str) -> None:
    writing = {
        call: names & SERVER_OWNED for call, names in bodies(service) if "/api/admin/" not in call
    }

    assert {call: names for call, names in writing.items() if names} == WRITTEN_OUTSIDE.get(
        service, {}
    )


# The one write of staff outside of /api/admin, which takes the permission orders:write.
WRITTEN_OUTSIDE: dict[str, dict[str, set[str]]] = {
    "ordering": {"patch /api/orders/{order_id}": {"status", "number"}}
}
