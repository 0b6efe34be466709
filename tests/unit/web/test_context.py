import json
import re

import pytest

from oja_events.context import trace


@pytest.fixture
def lines(capsys):
    def read() -> list[dict[str, object]]:
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return read


def test_the_request_id_of_the_gateway_is_kept(client):
    answer = client.get("/api/notes", headers={"X-Request-ID": "abc-123"})

    assert answer.headers["X-Request-ID"] == "abc-123"


@pytest.mark.parametrize("given", [None, "", "a b", "x" * 129, "a,b", "{}", "é"])
def test_an_unusable_request_id_is_replaced(client, given):
    headers = {} if given is None else {"X-Request-ID": given}

    answer = client.get("/api/notes", headers=headers)

    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])


def seen_by(app, headers):
    seen = []
    app.before_request(lambda: seen.append(trace.get()))
    app.test_client().get("/api/notes", headers=headers)
    return seen[0]


def test_the_trace_of_the_caller_goes_on_in_events(app):
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    seen = seen_by(app, {"X-Request-ID": "abc", "traceparent": parent})

    assert (seen.correlation_id, seen.causation_id, seen.traceparent) == ("abc", None, parent)


@pytest.mark.parametrize(
    "given",
    ["", "nonsense", "00-" + "0" * 32 + "-b7ad6b7169203331-01",
     "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
     "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"],
)  # fmt: skip
def test_an_unusable_traceparent_is_replaced(app, given):
    made = seen_by(app, {"traceparent": given}).traceparent

    assert made != given
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-00", made)


def test_nothing_of_a_request_stays_behind(client):
    client.get("/api/notes/failures/bug")

    assert trace.get() is None


def test_each_request_leaves_one_line(client, lines):
    client.get("/api/notes/failures/missing", headers={"X-Request-ID": "abc"})

    [line] = lines()
    assert line["event"] == "request answered"
    assert line["method"] == "GET"
    assert line["route"] == "/api/notes/failures/<kind>"
    assert line["status"] == 404
    assert line["correlation_id"] == "abc"
    assert line["service"] == "notes"
    assert line["ms"] >= 0


def test_probes_that_succeed_say_nothing(client, lines):
    client.get("/internal/livez")

    assert lines() == []
