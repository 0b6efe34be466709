"""The web application of identity."""

from flask import Flask, Response

from identity.bootstrap import SERVICE, Dependencies, build
from identity.entrypoints.http import (
    accounts,
    addresses,
    email_changes,
    erasures,
    mailed_links,
    roles,
    session,
    staff,
    tokens,
)
from identity.entrypoints.http.errors import REFUSALS, tell_to_wait
from identity.settings import Settings
from identity.use_cases.errors import TooManyAttempts
from oja_events.audit import AuditReader
from oja_web.access_marks import AccessMarks
from oja_web.app import make_app
from oja_web.audit import audit_blueprint
from oja_web.auth import AuthSettings
from oja_web.books import register_books
from oja_web.feed import register_feed
from oja_web.readiness import register_readiness_of_all
from oja_web.throttling import Throttling


def create_app(settings: Settings | None = None, deps: Dependencies | None = None) -> Flask:
    """Without arguments: from the environment, as the server does it."""
    settings = settings or Settings.from_env()
    deps = deps or build(settings)
    app = make_app(
        SERVICE,
        title="Oja identity",
        auth=AuthSettings(
            settings.jwt_public_keys,
            settings.jwt_issuer,
            revoked=AccessMarks(deps.engine).revoked,
        ),
        blueprints=[
            accounts.blp,
            email_changes.blp,
            mailed_links.blp,
            tokens.blp,
            addresses.blp,
            session.blp,
            staff.blp,
            erasures.blp,
            roles.blp,
            audit_blueprint("/api/admin/audit", AuditReader(deps.engine)),
        ],
        errors=REFUSALS,
        dependencies=deps,
        ready=deps.check,
        throttling=Throttling(settings.rates, settings.redis_url),
        log_level=settings.log_level,
    )
    app.register_error_handler(TooManyAttempts, tell_to_wait)
    register_feed(app, deps.engine, settings.internal_token)
    register_books(app, deps.engine, settings.internal_token, deps.facts)
    app.add_url_rule("/internal/session", view_func=session.vouch_for_session)
    app.add_url_rule(
        "/internal/one-time-links", view_func=mailed_links.issue_link, methods=["POST"]
    )
    register_readiness_of_all(app, settings.readiness_urls)
    app.after_request(_keep_private)
    return app


def _keep_private(response: Response) -> Response:
    """Nearly all that is said here is for one pair of eyes, tokens above all."""
    response.headers.setdefault("Cache-Control", "no-store")
    return response
