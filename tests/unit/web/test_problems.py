import json

import pytest

from oja_web.problems import flatten
from oja_web.testing import problem

LEAKS = ["Traceback", "hunter2", "notes.py", "/srv", "werkzeug", "psycopg", "RuntimeError"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/api/notes/", 404, "not_found"),
        ("GET", "/api//notes", 404, "not_found"),
        ("GET", "/api/notes%00", 400, "bad_request"),
        ("GET", "/api/notes?q=%00", 400, "bad_request"),
        ("DELETE", "/api/notes", 405, "method_not_allowed"),
        ("TRACE", "/api/notes", 405, "method_not_allowed"),
        ("OPTIONS", "/api/notes", 405, "method_not_allowed"),
        ("POST", "/api/notes", 401, "unauthenticated"),
        ("GET", "/api/notes?size=0", 422, "invalid"),
        ("GET", "/api/notes/failures/missing", 404, "note_not_found"),
        ("GET", "/api/notes/failures/locked", 409, "note_locked"),
        ("GET", "/api/notes/failures/bug", 500, "internal_error"),
        ("GET", "/api/notes/failures/recursion", 500, "internal_error"),
        ("GET", "/api/notes/failures/busy", 503, "provider_unavailable"),
        ("GET", "/api/notes/failures/database", 503, "unavailable"),
    ],
)
def test_s53_everything_that_goes_wrong_has_one_shape(client, method, path, status, code):
    answer = client.open(path, method=method)

    body = problem(answer, status, code)
    assert body["instance"] == path.split("?")[0]
    assert not [leak for leak in LEAKS if leak in answer.text]


def test_the_allowed_methods_are_named(client):
    allowed = client.delete("/api/notes").headers["Allow"]

    assert set(allowed.split(", ")) == {"GET", "HEAD", "POST"}


def test_a_code_that_says_more_than_the_status_has_a_type_of_its_own(client):
    special = problem(client.get("/api/notes/failures/missing"))
    generic = problem(client.get("/nowhere"))

    assert (special["type"], special["title"]) == ("/problems/note_not_found", "Note not found")
    assert (generic["type"], generic["title"]) == ("about:blank", "Not Found")


def test_a_refusal_without_detail_shows_the_words_and_errors_of_its_exception(client):
    body = problem(client.get("/api/notes/failures/locked"))

    assert body["detail"] == "The note is locked by its reader."
    assert body["errors"] == {"lines.0": ["is locked"]}


def test_headers_of_a_problem_are_sent(client):
    assert client.get("/api/notes/failures/busy").headers["Retry-After"] == "3"


def test_unforeseen_failures_are_logged_with_their_traceback(client, capsys):
    client.get("/api/notes/failures/bug", headers={"X-Request-ID": "find-me"})

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [failure] = [line for line in lines if line["event"] == "request failed"]
    assert failure["correlation_id"] == "find-me"
    assert "RuntimeError" in failure["exception"]
    assert "hunter2" not in failure["exception"]


def test_refusals_are_not_logged_as_failures(client, capsys):
    client.get("/api/notes/failures/missing")

    assert "request failed" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("messages", "flat"),
    [
        ({"a": ["x"]}, {"a": ["x"]}),
        ({"items": {0: {"quantity": ["x", "y"]}}}, {"items.0.quantity": ["x", "y"]}),
        ({"price": {"_schema": ["x"], "amount": ["y"]}}, {"price": ["x"], "price.amount": ["y"]}),
        ({"price": [{"amount": ["x"]}, "y"]}, {"price.amount": ["x"], "price": ["y"]}),
        ({"_schema": ["x"]}, {"body": ["x"]}),
        (["x"], {"body": ["x"]}),
        ("x", {"body": ["x"]}),
    ],
)
def test_messages_are_filed_under_the_path_of_their_field(messages, flat):
    assert flatten(messages) == flat
