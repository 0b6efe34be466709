"""S26: the matrix of who may call what lists every route there is, with what its view declares.

What the services really answer is asked in tests/integration/access.
"""

from collections.abc import Iterator
from functools import cache

import pytest
from flask import Flask
from werkzeug.routing import Rule

from stack.services import SERVICES
from tests.contract.access import ROLES, Route, matrix
from tests.contract.test_http import app_of

Key = tuple[str, str, str]
# Flask answers HEAD with what GET answers.
_METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
# flask-smorest's own view; what it shows is public.
_OPENAPI = "/openapi.json"


@cache
def declared() -> dict[Key, str | None]:
    """Every route of every service, and what its view says that a caller needs."""
    return {
        (service, method, rule.rule): _access(app, rule, method)
        for service in SERVICES
        for app in [app_of(service)]
        for rule in app.url_map.iter_rules()
        for method in _methods(rule)
    }


def _methods(rule: Rule) -> Iterator[str]:
    yield from sorted(_METHODS & (rule.methods or set()))


def _access(app: Flask, rule: Rule, method: str) -> str | None:
    if rule.rule == _OPENAPI:
        return "anonymous"
    view = app.view_functions[rule.endpoint]
    views = getattr(view, "view_class", None)
    return getattr(getattr(views, method.lower()) if views else view, "access", None)


def test_s26_every_route_is_in_the_matrix() -> None:
    missing = set(declared()) - {route.key for route in matrix()}

    assert not missing, f"say in access_matrix.txt who may call {sorted(missing)}"


def test_s26_the_matrix_lists_no_route_that_does_not_exist_and_none_twice() -> None:
    listed = [route.key for route in matrix()]

    assert not set(listed) - set(declared())
    assert len(listed) == len(set(listed))


def test_s26_every_route_declares_what_the_matrix_says() -> None:
    differing = {
        str(route): (route.needs, declared().get(route.key))
        for route in matrix()
        if declared().get(route.key) != route.needs
    }

    assert not differing


@pytest.mark.parametrize("route", matrix(), ids=str)
def test_s26_what_strangers_get_follows_from_what_is_needed(route: Route) -> None:
    open_to_all = route.needs == "anonymous"
    staff_only = ":" in route.needs

    assert (route.answers["anonymous"] == "yes") is open_to_all
    assert (route.answers["customer"] == "403") is staff_only
    assert (route.answers["admin"] == "yes") is (staff_only or route.needs in _FOR_EVERYBODY)


_FOR_EVERYBODY = {"anonymous", "customer"}


def test_s26_no_role_of_staff_but_admin_may_touch_users_and_roles() -> None:
    for route in matrix():
        if route.needs in {"users:write", "roles:write", "audit:read"}:
            allowed = {role for role in ROLES if route.answers[role] == "yes"}
            assert allowed == {"admin"}, route


def test_s22_every_write_of_the_console_is_under_the_prefix_that_the_gateway_checks() -> None:
    """What needs a permission lies under /api/admin, where a cookie takes the CSRF token along.

    The one exception takes a token only: no cookie speaks for anybody outside of /api/admin.
    """
    elsewhere = {
        route.path
        for route in matrix()
        if ":" in route.needs and not route.path.startswith("/api/admin/")
    }

    assert elsewhere == {"/api/orders/<uuid:order_id>"}
