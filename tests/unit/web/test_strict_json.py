import io
from datetime import UTC, datetime
from uuid import UUID

import pytest

from oja_web.strict_json import BadJSON, decode, encode
from oja_web.testing import problem

HOSTILE = {
    "cut off": b'{"title": "x"',
    "not utf-8": b'{"title": "\xff"}',
    "utf-16": '{"title": "x"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"title": "x"}',
    "NaN": b'{"title": NaN}',
    "Infinity": b'{"title": Infinity}',
    "-Infinity": b'{"title": -Infinity}',
    "key twice": b'{"title": "x", "title": "y"}',
    "key twice, deeper": b'{"lines": [{"text": "x", "text": "y"}]}',
    "key twice, once escaped": b'{"title": "x", "\\u0074itle": "y"}',
    "NUL": b'{"title": "a\\u0000b"}',
    "NUL in a key": b'{"a\\u0000b": 1}',
    "half a surrogate pair": b'{"title": "\\ud800"}',
    "halves in the wrong order": b'{"title": "\\udc00\\ud800"}',
    "65 levels": b'{"title": ' + b"[" * 64 + b"]" * 64 + b"}",
    "1,000 levels": b"[" * 1000 + b"]" * 1000,
    "100,000 levels": b"[" * 100_000,
    "comment": b'{"title": "x"} // y',
    "trailing comma": b'{"title": "x",}',
    "single quotes": b"{'title': 'x'}",
    "two documents": b"{}{}",
    "control character": b'{"title": "a\x01b"}',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_s45_hostile_bodies_are_refused(client, signed, body):
    answer = client.post("/api/notes", data=body, content_type="application/json", headers=signed)

    problem(answer, 400, "malformed_json")


@pytest.mark.parametrize(
    "number", ["1e400", "-1e400", "9" * 5000, "0." + "1" * 5000, "1" + "0" * 21 + ".5"]
)
def test_a_number_that_nothing_could_hold_is_refused_where_it_stands(client, signed, number):
    answer = client.post(
        "/api/notes",
        data=f'{{"title": {number}}}',
        content_type="application/json",
        headers=signed,
    )

    assert problem(answer, 422)["errors"].keys() == {"title"}


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"7", b"true", b"[{}]"])
def test_a_schema_wants_an_object(client, signed, body):
    answer = client.post("/api/notes", data=body, content_type="application/json", headers=signed)

    assert "body" in problem(answer, 422)["errors"]


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonp",
     "application/merge-patch+json", "application/xml", None],
)  # fmt: skip
def test_s45_other_content_types_are_not_read(client, signed, content_type):
    answer = client.post(
        "/api/notes", data=b'{"title": "x"}', content_type=content_type, headers=signed
    )

    problem(answer, 415, "unsupported_media_type")


def test_no_body_at_all_misses_its_fields(client, signed):
    answer = client.post("/api/notes", headers=signed)

    assert problem(answer, 422)["errors"] == {"title": ["Missing data for required field."]}


def test_no_body_at_all_is_not_a_change_of_nothing(client, writer):
    note = "/api/notes/0192f0c1-2a3b-7c4d-8e5f-0123456789ab"
    answer = client.patch(note, headers={**writer, "If-Match": '"v7"'})

    assert problem(answer, 422)["errors"] == {"body": ["Send a JSON object."]}


def test_a_charset_is_tolerated(client, signed):
    answer = client.post(
        "/api/notes",
        data='{"title": "Ọjà"}'.encode(),
        content_type="application/json; charset=utf-8",
        headers=signed,
    )

    assert answer.json == {"title": "Ọjà"}


def test_s45_bodies_over_a_mebibyte_are_too_large(client, signed):
    body = b'{"title": "' + b"x" * 1024 * 1024 + b'"}'

    answer = client.post("/api/notes", data=body, content_type="application/json", headers=signed)

    problem(answer, 413, "content_too_large")


def test_a_body_of_unknown_length_is_not_read_in_part(client, signed):
    stream = io.BytesIO(b'{"title": "' + b"x" * 1024 * 1024 + b'"}')

    answer = client.post(
        "/api/notes",
        input_stream=stream,
        content_type="application/json",
        headers={**signed, "Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )

    problem(answer, 411, "length_required")


def test_64_levels_and_the_largest_bigint_are_fine():
    deep = b"[" * 64 + b"]" * 64

    assert decode(deep)
    assert decode(b"9223372036854775807") == 2**63 - 1


def test_whole_surrogate_pairs_are_one_character():
    assert decode(b'"\\ud83d\\ude00"') == "😀"


def test_constants_are_refused_outside_of_requests_too():
    with pytest.raises(BadJSON):
        decode("[NaN]")


def test_answers_are_written_in_canonical_forms():
    value = {
        "id": UUID("0192F0C1-2A3B-7C4D-8E5F-0123456789AB"),
        "at": datetime(2026, 11, 23, 1, 46, tzinfo=UTC),
        "name": "Ọjà",
    }

    assert encode(value).decode() == (
        '{"id":"0192f0c1-2a3b-7c4d-8e5f-0123456789ab","at":"2026-11-23T01:46:00Z","name":"Ọjà"}'
    )


def test_what_has_no_json_form_is_a_bug():
    with pytest.raises(TypeError, match="object has no JSON form"):
        encode(object())
