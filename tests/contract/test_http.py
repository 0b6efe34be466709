"""The OpenAPI document of each service equals its committed snapshot.

A change of the API is thus a change in the diff. Write the snapshots anew with

    UPDATE_SNAPSHOTS=1 ./oja test contract -k openapi
"""

import json
import os
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from oja_web.testing import KeyPair, make_key_pair
from stack.services import SERVICES

SNAPSHOTS = Path(__file__).parent / "openapi"
NOWHERE = "127.0.0.1:9"  # the discard port: a connection would fail at once
METHODS = {"get", "put", "post", "patch", "delete"}


def made_up_environment() -> dict[str, str]:
    """Everything that any service must be told, with no server behind any of it."""
    keys: KeyPair = make_key_pair()
    return {
        "DATABASE_URL": f"postgresql+psycopg2://nobody@{NOWHERE}/nothing",
        "BROKER_URL": f"amqp://nobody@{NOWHERE}/nothing",
        "REDIS_URL": f"redis://{NOWHERE}/0",
        "PUBLIC_URL": "http://localhost:8080",
        "JWT_ISSUER": "http://localhost:8080",
        "JWT_PUBLIC_KEYS": keys.jwks,
        "JWT_PRIVATE_KEY": keys.private_pem,
        "READINESS_URLS": "{}",
        "FEED_URLS": "{}",
        "IDENTITY_URL": f"http://{NOWHERE}",
        "INTERNAL_TOKEN": "made-up, and long enough for a secret",
        "CLOUDINARY_URL": "cloudinary://key:secret@nothing",
        "PAYSTACK_BASE_URL": f"http://{NOWHERE}",
        "PAYSTACK_SECRET_KEY": "made-up",
        "SMTP_URL": f"smtp://{NOWHERE}",
        "MAIL_FROM": "Oja <orders@oja.example>",
        "STAFF_MAIL": "staff@oja.example",
        "LOG_LEVEL": "WARNING",
    }


@cache
def app_of(service: str) -> Flask:
    """The service's application, without a server behind it."""
    settings = import_module(f"{service}.settings").Settings.from_env(made_up_environment())
    app: Flask = import_module(f"{service}.entrypoints.http.app").create_app(settings)
    return app


@cache
def openapi_of(service: str) -> dict[str, Any]:
    """What the service publishes at /openapi.json."""
    document: dict[str, Any] = app_of(service).test_client().get("/openapi.json").get_json()
    return document


def operations(service: str) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, item in openapi_of(service)["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


@pytest.mark.parametrize("service", SERVICES)
def test_the_openapi_document_is_the_one_that_was_agreed(service: str) -> None:
    snapshot = SNAPSHOTS / f"{service}.json"
    document = json.dumps(openapi_of(service), indent=1, sort_keys=True) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        snapshot.write_text(document)

    assert document == snapshot.read_text()


def test_no_openapi_snapshot_is_left_over() -> None:
    assert {path.stem for path in SNAPSHOTS.iterdir()} == set(SERVICES)


@pytest.mark.parametrize("service", SERVICES)
def test_every_call_in_the_openapi_document_says_what_it_does_and_who_may(service: str) -> None:
    for path, method, operation in operations(service):
        assert operation.get("summary"), f"{method} {path}"
        assert "security" in operation, f"{method} {path}"


@pytest.mark.parametrize("service", SERVICES)
def test_s30_every_write_in_the_openapi_document_refuses_fields_that_it_does_not_know(
    service: str,
) -> None:
    schemas = openapi_of(service)["components"].get("schemas", {})
    for path, method, operation in operations(service):
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        name = body.get("schema", {}).get("$ref", "").rpartition("/")[2]
        if name:
            assert schemas[name].get("additionalProperties") is False, f"{method} {path}: {name}"


# Ending a session takes no version of it.
WITHOUT_VERSION = {"delete /api/admin/session", "delete /api/admin/session/{session_id}"}


@pytest.mark.parametrize("service", SERVICES)
def test_every_change_at_the_console_documents_the_version_that_it_needs(service: str) -> None:
    for path, method, operation in operations(service):
        if path.startswith("/api/admin/") and method in {"put", "patch", "delete"}:
            headers = [each["name"] for each in operation.get("parameters", []) if "name" in each]
            asks = "If-Match" in headers and {"412", "428"} <= operation["responses"].keys()
            assert asks is (f"{method} {path}" not in WITHOUT_VERSION), f"{method} {path}"


@pytest.mark.parametrize("service", SERVICES)
def test_s22_every_write_at_the_console_documents_the_csrf_token(service: str) -> None:
    for path, method, operation in operations(service):
        if path.startswith("/api/admin/") and method != "get" and operation["security"]:
            assert {"sessionCookie": [], "csrfToken": []} in operation["security"], path
