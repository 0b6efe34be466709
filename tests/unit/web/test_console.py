import pytest

from oja_web.console import with_console

TOKEN = [{"bearerAuth": []}]


def ways_in(path, method, security):
    document = {"paths": {path: {method: {"security": security}}}}
    return with_console(document)["paths"][path][method]["security"]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_s22_writes_at_the_console_take_the_sessions_token_beside_its_cookie(method):
    session = {"sessionCookie": [], "csrfToken": []}

    assert ways_in("/api/admin/notes", method, TOKEN) == [*TOKEN, session]
    assert ways_in("/api/admin/notes", method, [{"sessionCookie": []}]) == [session]


def test_reads_at_the_console_take_the_cookie_alone():
    assert ways_in("/api/admin/notes", "get", TOKEN) == [*TOKEN, {"sessionCookie": []}]


@pytest.mark.parametrize(
    ("path", "security"), [("/api/notes", TOKEN), ("/api/admin/session", []), ("/api/notes", [])]
)
def test_elsewhere_a_cookie_opens_nothing(path, security):
    assert ways_in(path, "post", security) == security


def test_a_document_may_be_asked_for_twice():
    document = {"paths": {"/api/admin/notes": {"post": {"security": TOKEN}}}}

    assert with_console(document) == with_console(document)
