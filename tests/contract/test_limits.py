"""Which routes have a limit of their own, and which of them nobody may call uncounted (S55)."""

from collections.abc import Iterator
from typing import Any

import pytest

from oja_web.throttling import Limited
from stack.services import SERVICES
from tests.contract.test_http import app_of

BY_ADDRESS, CLOSED = "by address", "closed"
LIMITS = {
    "POST /api/auth/login": ("login", BY_ADDRESS, CLOSED),
    "POST /api/admin/session": ("login", BY_ADDRESS, CLOSED),
    "POST /api/auth/register": ("register", BY_ADDRESS, CLOSED),
    "POST /api/auth/password/forgot": ("reset", BY_ADDRESS, CLOSED),
    "POST /api/auth/password/reset": ("reset", BY_ADDRESS, CLOSED),
    "POST /api/auth/email/verify": ("reset", BY_ADDRESS, CLOSED),
    "POST /api/auth/email/confirm": ("reset", BY_ADDRESS, CLOSED),
    "POST /api/auth/email/resend": ("resend", CLOSED),
    "POST /api/auth/email/change": ("confirm", CLOSED),
    "POST /api/auth/password/change": ("confirm", CLOSED),
    "DELETE /api/auth/me": ("confirm", CLOSED),
    "GET /api/products": ("browsing",),
    "GET /api/products/<key>": ("browsing",),
    "GET /api/products/<uuid:product_id>/reviews": ("browsing",),
    "GET /api/categories": ("browsing",),
    "GET /api/tags": ("browsing",),
    "POST /api/products/<uuid:product_id>/reviews": ("reviews",),
    "PATCH /api/products/<uuid:product_id>/reviews/<uuid:review_id>": ("reviews",),
    "DELETE /api/products/<uuid:product_id>/reviews/<uuid:review_id>": ("reviews",),
    "POST /api/admin/products/<uuid:product_id>/images": ("uploads",),
    "PATCH /api/admin/products/<uuid:product_id>/images/<uuid:image_id>": ("uploads",),
    "POST /api/admin/products/import": ("uploads",),
    # Not closed: it has to work with nothing but Postgres.
    "POST /api/checkout": ("checkout",),
    "POST /api/pay": ("pay", CLOSED),
    "POST /api/admin/payments/<reference>/refunds": ("refunds", CLOSED),
}
UNLIMITED = {"POST /api/paystack/webhook"}


def views() -> Iterator[tuple[str, Any]]:
    """METHOD /path and the function behind it, of all services."""
    for service in SERVICES:
        app = app_of(service)
        for rule in app.url_map.iter_rules():
            view: Any = app.view_functions[rule.endpoint]
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                handler = getattr(getattr(view, "view_class", None), method.lower(), view)
                yield f"{method} {rule.rule}", handler


def shown(limit: Limited) -> tuple[str, ...]:
    marks = ((BY_ADDRESS, limit.by_address), (CLOSED, limit.closed))
    return (limit.name, *(name for name, there in marks if there))


def test_s55_the_routes_that_the_contract_names_have_limits_of_their_own() -> None:
    limited = {route: view for route, view in views() if hasattr(view, "throttling")}
    found = {route: shown(view.throttling) for route, view in limited.items()}

    assert found == LIMITS


def test_s55_nothing_but_the_webhook_goes_uncounted() -> None:
    uncounted = {route for route, view in views() if getattr(view, "unlimited", False)}

    assert {route for route in uncounted if " /internal/" not in route} == UNLIMITED


@pytest.mark.parametrize("word", ["password", "login", "pay", "refund"])
def test_s55_what_takes_a_password_or_moves_money_is_closed_without_redis(word: str) -> None:
    writes = {route for route, _ in views() if word in route and not route.startswith("GET")}

    assert writes
    assert all(CLOSED in LIMITS.get(route, ()) for route in writes - UNLIMITED), writes
