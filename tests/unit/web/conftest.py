"""A small throw-away service, with one view for every rule that the tests ask about."""

from uuid import UUID

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from marshmallow import Schema
from marshmallow import fields as ma
from sqlalchemy.exc import OperationalError

from oja_web import fields
from oja_web.app import make_app
from oja_web.auth import AuthSettings, caller, public, requires, signed_in
from oja_web.blueprint import Blueprint
from oja_web.etag import changes_what_was_seen, if_match, not_modified, set_etag
from oja_web.pagination import PageQuery, decode_cursor, encode_cursor, page, page_schema
from oja_web.problems import Problem, Refusal
from oja_web.strict_json import json_response
from oja_web.testing import ISSUER, KeyPair, bearer, make_key_pair, make_token
from oja_web.throttling import Throttling

PATIENT = Throttling(dict.fromkeys(("anonymous", "signed_in"), "100000 per minute"))


class NoteNotFound(Exception):
    pass


class NoteLocked(Exception):
    def __init__(self) -> None:
        super().__init__("The note is locked by its reader.")
        self.errors = {"lines": {0: ["is locked"]}}


class LineSchema(fields.StrictSchema):
    text = fields.Text(max=20, required=True)
    quantity = fields.Quantity(required=True)


class NoteSchema(fields.StrictSchema):
    title = fields.Text(max=40, required=True)
    body = fields.Text(min=0, max=200, multiline=True)
    price = fields.Money()
    owner_id = fields.UUIDString()
    due_at = fields.AwareDateTime()
    pinned = fields.StrictBoolean()
    lines = ma.List(ma.Nested(LineSchema))


class SearchQuery(PageQuery):
    q = fields.Text(max=20)
    tag = ma.List(fields.Text(max=20))


class CallerSchema(Schema):
    user_id = ma.UUID()
    name = ma.String()


class NotePageSchema(page_schema(NoteSchema, "NotePageItems")):
    pass


blp = Blueprint("notes", __name__, url_prefix="/api/notes", description="Notes")


@blp.post("")
@signed_in
@blp.arguments(NoteSchema)
@blp.response(201, NoteSchema)
def write_note(body):
    """Write a note"""
    return body


@blp.patch("/<uuid:note_id>")
@requires("notes:write")
@changes_what_was_seen
@blp.arguments(NoteSchema(partial=True))
@blp.response(200, NoteSchema)
def change_note(body, note_id: UUID):
    if_match(7)
    return body


@blp.delete("/<uuid:note_id>")
@requires("notes:write")
@changes_what_was_seen
@blp.response(204)
def forget_to_compare(note_id: UUID):
    """Delete a note, whatever the caller has seen"""


@blp.get("")
@public
@blp.arguments(SearchQuery, location="query")
@blp.response(200, NotePageSchema)
def list_notes(query):
    after = decode_cursor(query["cursor"], (str, int))
    return page([], encode_cursor(after or ("a", 1)), 0 if query["total"] else None)


@blp.get("/seven")
@public
@blp.response(200)
def seventh() -> Response:
    return not_modified(7) or set_etag(json_response({"note": 7}), 7)


@blp.get("/me")
@signed_in
@blp.response(200, CallerSchema)
def who_am_i():
    return caller()


FAILURES = {
    "missing": NoteNotFound(),
    "locked": NoteLocked(),
    "bug": RuntimeError("password=hunter2 at /srv/app/notes.py"),
    "recursion": RecursionError("maximum recursion depth exceeded"),
    "database": OperationalError("SELECT 1", {}, Exception("psycopg: connection refused")),
    "busy": Problem(503, "provider_unavailable", "Later.", headers={"Retry-After": "3"}),
}


@blp.get("/failures/<kind>")
@public
@blp.response(204)
def fail(kind: str):
    raise FAILURES[kind]


REFUSALS = {
    NoteNotFound: Refusal(404, "note_not_found", "There is no such note."),
    NoteLocked: Refusal(409, "note_locked"),
}


@pytest.fixture(scope="session")
def keys() -> KeyPair:
    return make_key_pair()


@pytest.fixture
def revoked() -> set[str]:
    """Ids of tokens that the service has been told to refuse."""
    return set()


@pytest.fixture
def sick() -> list[Exception]:
    """What `ready` raises, if anything."""
    return []


@pytest.fixture
def app(keys: KeyPair, revoked: set[str], sick: list[Exception]) -> Flask:
    def ready() -> None:
        if sick:
            raise sick[0]

    return make_app(
        "notes",
        title="Notes",
        auth=AuthSettings(keys.jwks, ISSUER, revoked=lambda claims: claims["jti"] in revoked),
        blueprints=[blp],
        errors=REFUSALS,
        dependencies=object(),
        ready=ready,
        throttling=PATIENT,
    )


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def signed(keys: KeyPair) -> dict[str, str]:
    return bearer(make_token(keys.private_pem))


@pytest.fixture
def writer(keys: KeyPair) -> dict[str, str]:
    return bearer(make_token(keys.private_pem, permissions=["notes:write"]))
