"""The web application of ordering."""

from flask import Flask

from oja_events.audit import AuditReader
from oja_web.access_marks import AccessMarks
from oja_web.app import make_app
from oja_web.audit import audit_blueprint
from oja_web.auth import AuthSettings
from oja_web.books import register_books
from oja_web.feed import register_feed
from oja_web.throttling import Throttling
from ordering.bootstrap import SERVICE, Dependencies, build
from ordering.entrypoints.http import carts, orders, staff
from ordering.entrypoints.http.errors import REFUSALS
from ordering.settings import Settings


def create_app(settings: Settings | None = None, deps: Dependencies | None = None) -> Flask:
    """Without arguments: from the environment, as the server does it."""
    settings = settings or Settings.from_env()
    deps = deps or build(settings)
    app = make_app(
        SERVICE,
        title="Oja ordering",
        auth=AuthSettings(
            settings.jwt_public_keys,
            settings.jwt_issuer,
            revoked=AccessMarks(deps.engine).revoked,
        ),
        blueprints=[
            carts.blp,
            orders.blp,
            staff.blp,
            audit_blueprint("/api/admin/audit/ordering", AuditReader(deps.engine)),
        ],
        errors=REFUSALS,
        dependencies=deps,
        ready=deps.check,
        throttling=Throttling(settings.rates, settings.redis_url),
        log_level=settings.log_level,
    )
    register_feed(app, deps.engine, settings.internal_token)
    register_books(app, deps.engine, settings.internal_token, deps.facts)
    return app
