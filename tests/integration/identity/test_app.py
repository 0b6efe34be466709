"""The service as a whole: probes, the document, who may call what."""

import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from flask import Flask
from flask.testing import FlaskClient

from identity.bootstrap import Dependencies
from identity.entrypoints.http.app import create_app
from identity.settings import Settings

PUBLIC = {
    ("POST", "/api/auth/register"),
    ("POST", "/api/auth/login"),
    ("POST", "/api/auth/refresh"),
    ("POST", "/api/auth/logout"),
    ("POST", "/api/auth/email/confirm"),
    ("POST", "/api/auth/email/verify"),
    ("POST", "/api/auth/password/forgot"),
    ("POST", "/api/auth/password/reset"),
    ("GET", "/api/auth/jwks.json"),
    ("POST", "/api/admin/session"),
}


def test_the_service_is_ready_when_its_database_answers(client: FlaskClient):
    assert client.get("/internal/livez").status_code == 200
    assert client.get("/internal/readyz").status_code == 200


class Unready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/catalog" else 503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def services():
    with ThreadingHTTPServer(("127.0.0.1", 0), Unready) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(5)


def test_readiness_of_all_names_who_is_not(settings: Settings, deps: Dependencies, services: str):
    urls = {"catalog": f"{services}/catalog", "payments": f"{services}/payments"}
    told = replace(settings, readiness_urls=urls)

    answer = (
        create_app(told, replace(deps, settings=told)).test_client().get("/internal/readyz/all")
    )

    assert answer.status_code == 503
    ready = {name: each["ready"] for name, each in answer.json["services"].items()}
    assert ready == {"catalog": True, "payments": False}


def test_s26_every_route_says_who_may_call_it_and_few_are_for_all(app: Flask):
    open_to_all = set()
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/"):
            view = app.view_functions[rule.endpoint]
            methods = getattr(view, "view_class", None)
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                handler = getattr(methods, method.lower()) if methods else view
                if handler.access == "anonymous":
                    open_to_all.add((method, rule.rule))
    assert open_to_all == PUBLIC


def test_the_document_describes_the_session_and_hides_what_is_internal(client: FlaskClient):
    document = client.get("/openapi.json").json

    assert document["components"]["securitySchemes"]["sessionCookie"]["name"] == "oja_session"
    session = document["paths"]["/api/admin/session"]
    assert session["get"]["security"] == [{"sessionCookie": []}]
    assert not [path for path in document["paths"] if path.startswith("/internal")]


def test_s30_bodies_are_closed(client: FlaskClient):
    schemas = client.get("/openapi.json").json["components"]["schemas"]
    bodies = {"Registration", "Credentials", "RefreshToken", "PasswordChange", "NewUser",
              "AddressInput", "ProfilePartial", "UserChange"}  # fmt: skip
    assert all(schemas[name]["additionalProperties"] is False for name in bodies)
