"""One Flask application per service, all with the same manners."""

import logging
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import flask_smorest  # type: ignore[import-untyped]
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask, Response, request
from marshmallow import Schema, validate
from werkzeug.middleware.proxy_fix import ProxyFix

from oja_web.auth import AuthSettings, public, register_auth
from oja_web.blueprint import Blueprint
from oja_web.console import SCHEMES, with_console
from oja_web.context import register_context
from oja_web.leaving import leave_when_told
from oja_web.logs import configure_logging
from oja_web.problems import CONTENT_TYPE, Problem, ProblemSchema, Refusal, register_problems
from oja_web.strict_json import StrictJSONProvider, json_response
from oja_web.throttling import HEADERS as THROTTLING_HEADERS
from oja_web.throttling import Throttling, register_throttling

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 1024 * 1024
NO_CONFIG: Mapping[str, Any] = MappingProxyType({})


def make_app(
    service: str,
    *,
    title: str,
    auth: AuthSettings,
    blueprints: Iterable[Blueprint],
    errors: Mapping[type[Exception], Refusal],
    dependencies: object,
    ready: Callable[[], None],
    throttling: Throttling,
    log_level: str = "INFO",
    config: Mapping[str, Any] = NO_CONFIG,
) -> Flask:
    """Build the application; any WSGI server can run it.

    `dependencies` is kept in app.extensions[service]. `ready` raises while the service cannot work.
    Raises RuntimeError when a view does not declare who may call it (see oja_web.auth), or names a
    limit that has no rate (see oja_web.throttling).
    """
    configure_logging(service, log_level)
    app = _bare_app(service, config)
    app.extensions[service] = dependencies
    register_context(app)
    app.before_request(_refuse_nul)
    app.before_request(_refuse_unmeasured)
    app.after_request(_keep_private)
    register_problems(app, errors)
    register_auth(app, auth)
    _register_probes(app, ready)
    api = _Api(app, spec_kwargs=_spec(title))
    for blueprint in blueprints:
        api.register_blueprint(blueprint)
    _refuse_undeclared(app)
    register_throttling(app, service, throttling)
    leave_when_told(app)
    return app


def _bare_app(service: str, config: Mapping[str, Any]) -> Flask:
    app = Flask(service, static_folder=None, template_folder=None)
    app.json = StrictJSONProvider(app)
    app.url_map.merge_slashes = False
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        PROVIDE_AUTOMATIC_OPTIONS=False,
        OPENAPI_URL_PREFIX="/",
    )
    app.config.update(config)
    # Exactly one proxy stands in front: the last address it wrote is the one that it saw.
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=0)  # type: ignore[method-assign]
    return app


class _Api(flask_smorest.Api):  # type: ignore[misc]
    """flask-smorest with our problems as its errors, and with names of free properties."""

    ERROR_SCHEMA = ProblemSchema

    def __init__(self, app: Flask, **options: Any) -> None:
        super().__init__(app, **options)
        self.ma_plugin.converter.add_attribute_function(_names_of_properties)

    def _register_error_handlers(self) -> None:
        """oja_web.problems has them already."""

    def _register_responses(self) -> None:
        self.DEFAULT_RESPONSE_CONTENT_TYPE = CONTENT_TYPE
        super()._register_responses()
        self.spec.components.responses_lazy["TOO_MANY_REQUESTS"]["headers"] = THROTTLING_HEADERS
        del self.DEFAULT_RESPONSE_CONTENT_TYPE  # success is plain JSON, as the class says

    def _register_pagination_header(self) -> None:
        """Our lists carry their cursor in the body."""

    def _openapi_json(self) -> Response:
        return json_response(with_console(self.spec.to_dict()))


def _names_of_properties(converter: Any, field: Any, **_: Any) -> dict[str, Any]:
    """What apispec leaves out: which keys a Dict takes, and how many."""
    keys = getattr(field, "key_field", None)
    if keys is None:
        return {}
    lengths = [check.max for check in field.validators if isinstance(check, validate.Length)]
    most = [length for length in lengths if length is not None]
    bounds = {"maxProperties": min(most)} if most else {}
    return {"propertyNames": converter.field2property(keys), **bounds}


def _spec(title: str) -> dict[str, Any]:
    return {
        "title": title,
        "version": "v1",
        "openapi_version": "3.1.0",
        "servers": [{"url": "/"}],
        "components": {"securitySchemes": SCHEMES},
        "marshmallow_plugin": MarshmallowPlugin(
            schema_name_resolver=_schema_name  # type: ignore[arg-type]
        ),
    }


def _schema_name(schema: Schema | type[Schema]) -> str | None:
    """NoteSchema is Note, its partial form NotePartial; selections of fields are written out.

    apispec takes None for "no name" and hands over instances, whatever its annotation says.
    """
    instance = schema if isinstance(schema, Schema) else schema()
    if instance.only is not None or instance.exclude:
        return None
    name = type(instance).__name__.removesuffix("Schema")
    return f"{name}Partial" if instance.partial else name


def _register_probes(app: Flask, ready: Callable[[], None]) -> None:
    @public
    def livez() -> Response:
        return json_response({"status": "ok"})

    @public
    def readyz() -> Response:
        try:
            ready()
        except Exception as error:
            log.warning("not ready", exc_info=True)
            raise Problem(503, "not_ready", "A dependency does not answer.") from error
        return json_response({"status": "ready"})

    app.add_url_rule("/internal/livez", view_func=livez)
    app.add_url_rule("/internal/readyz", view_func=readyz)


def _refuse_nul() -> None:
    # Postgres cannot hold NUL, so no name, number or search text of ours contains one.
    if "\x00" in request.path or "%00" in request.query_string.decode("latin-1"):
        raise Problem(400, "bad_request", "The address contains NUL.")


def _refuse_unmeasured() -> None:
    # Werkzeug cuts a body without Content-Length off at the limit and says nothing. Ours come
    # through a gateway that buffers them and then knows the length.
    if request.content_length is None and "Transfer-Encoding" in request.headers:
        raise Problem(411, "length_required", "Send the body with a Content-Length.")


def _keep_private(response: Response) -> Response:
    """What only one caller may see stays out of caches."""
    if request.headers.get("Authorization"):
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _refuse_undeclared(app: Flask) -> None:
    own = {"api-docs.openapi_json"}
    for rule in app.url_map.iter_rules():
        if rule.endpoint in own:
            continue
        view = app.view_functions[rule.endpoint]
        methods = getattr(view, "view_class", None)
        verbs = [getattr(methods, verb.lower(), None) for verb in rule.methods or ()]
        views = [verb for verb in verbs if verb] if methods else [view]
        if not all(hasattr(each, "access") for each in views):
            raise RuntimeError(
                f"{rule.endpoint} ({rule.rule}) does not say who may call it:"
                " put @signed_in, @requires(...) or @public on top"
            )
