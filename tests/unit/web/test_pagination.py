import base64
from datetime import UTC, datetime
from uuid import UUID

import pytest

from oja_web.pagination import decode_cursor, encode_cursor, page
from oja_web.problems import Problem
from oja_web.testing import problem

ID = UUID("0192f0c1-2a3b-7c4d-8e5f-0123456789ab")


def as_cursor(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def test_a_cursor_brings_back_what_was_put_into_it():
    values = (datetime(2026, 11, 23, 1, 46, 0, 7, tzinfo=UTC), ID, "Ọjà", 450000, None)

    cursor = encode_cursor(values)

    assert decode_cursor(cursor, (datetime, UUID, str, int, str)) == values


def test_no_cursor_is_the_first_page():
    assert decode_cursor(None, (str,)) is None


@pytest.mark.parametrize(
    "cursor",
    ["", "!!!", "a", "é", "A" * 2000, "bnVsbA", as_cursor(b"{}"), as_cursor(b"[]"),
     as_cursor(b"[1]"), as_cursor(b'["a"]'), as_cursor(b'["a", 1, 2]'), as_cursor(b'["a", true]'),
     as_cursor(b'["a", "1"]'), as_cursor(b'["a", 9223372036854775808]'),
     as_cursor(b'["\\u0000", 1]'), as_cursor(b"[NaN, 1]"), as_cursor(b"[[[["),
     as_cursor(b"\xff\xfe")],
)  # fmt: skip
def test_s48_garbage_is_refused(client, cursor):
    with pytest.raises(Problem) as refused:
        decode_cursor(cursor, (str, int))

    assert refused.value.errors == {"cursor": ["Not a valid cursor."]}
    answer = client.get("/api/notes", query_string={"cursor": cursor})
    assert problem(answer, 422)["errors"].keys() == {"cursor"}


@pytest.mark.parametrize("text", [b'["not a uuid"]', b"[7]"])
def test_an_id_in_a_cursor_is_an_id(text):
    with pytest.raises(Problem):
        decode_cursor(as_cursor(text), (UUID,))


@pytest.mark.parametrize("text", [b'["2026-11-23T01:46:00"]', b'["yesterday"]', b"[1763862360]"])
def test_a_time_in_a_cursor_is_an_instant(text):
    with pytest.raises(Problem):
        decode_cursor(as_cursor(text), (datetime,))


@pytest.mark.parametrize(
    "size", ["0", "-1", "101", "1.5", "ten", "", "1e1", "9" * 40, "\uff11\uff10"]
)
def test_s48_a_page_has_1_to_100_items(client, size):
    answer = client.get("/api/notes", query_string={"size": size})

    assert problem(answer, 422)["errors"].keys() == {"size"}


def test_the_total_is_counted_only_when_asked_for(client):
    assert "total" not in client.get("/api/notes").json
    assert client.get("/api/notes?total=true").json["total"] == 0


def test_the_last_page_has_no_next():
    assert page(["a"], None) == {"items": ["a"], "next": None}
