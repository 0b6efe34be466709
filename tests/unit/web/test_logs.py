import json
import logging
import subprocess
import sys

import pytest

from oja_web.logs import configure_logging

log = logging.getLogger("shop")


@pytest.fixture
def line(capsys):
    configure_logging("notes")

    def read() -> dict[str, object]:
        [text] = capsys.readouterr().out.splitlines()
        return json.loads(text)

    return read


def test_a_line_carries_its_fields(line):
    log.warning("order %s cancelled", "OJ-1", extra={"order_id": "7"})

    written = line()

    assert written.pop("time").endswith("Z")
    assert written == {
        "service": "notes",
        "logger": "shop",
        "level": "warning",
        "event": "order OJ-1 cancelled",
        "order_id": "7",
    }


@pytest.mark.parametrize(
    "extra",
    [
        {"password": "hunter2"},
        {"new_password": "hunter2"},
        {"accessToken": "hunter2"},
        {"headers": {"Authorization": "Bearer hunter2"}},
        {"headers": {"Cookie": "oja_session=hunter2"}},
        {"requests": [{"x-paystack-signature": "hunter2"}]},
        {"client_secret": ["hunter2"]},
        {"text": "Authorization: Bearer hunter2"},
        {"url": "http://shop.test/reset?token=hunter2&x=1"},
        {"deep": {"a": [{"b": ({"token": "hunter2"},)}]}},
        {"exotic": Exception("password=hunter2")},
    ],
)
def test_s62_secrets_are_blanked(line, extra):
    log.info("something", extra=extra)

    assert "hunter2" not in json.dumps(line())


def test_secrets_in_the_text_and_the_traceback_are_blanked(line):
    try:
        raise ValueError("GET /reset?token=hunter2 failed")
    except ValueError:
        log.exception("could not send http://shop.test/?token=hunter2")

    written = line()
    assert "hunter2" not in json.dumps(written)
    assert "ValueError" in written["exception"]


def test_s62_text_of_clients_cannot_start_a_line_of_its_own(line):
    log.info("signed in", extra={"buyer": 'x\n{"level": "critical"}\r\u2028\x1b[31m'})

    assert line()["level"] == "info"


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


def circular() -> dict[str, object]:
    value: dict[str, object] = {}
    value["again"] = value
    return value


@pytest.mark.parametrize(
    "extra",
    [{"x": Unprintable()}, {"x": circular()}, {"x": {1, 2}}, {"x": b"\xff"}, {"x": "\ud800"}],
)
def test_nothing_that_is_logged_breaks_the_caller(line, extra):
    log.info("something", extra=extra)

    assert line()["event"] == "something"


def test_a_wrong_number_of_arguments_does_not_break_the_caller(line):
    record = log.makeRecord("shop", logging.INFO, "x.py", 1, "one %s two %s", ("only",), None)

    [ours] = [each for each in logging.getLogger().handlers if "oja_web" in type(each).__module__]
    ours.handle(record)

    assert line()["event"] == "one %s two %s"


def test_configuring_twice_does_not_write_twice(line):
    configure_logging("notes")

    log.info("once")

    assert line()["event"] == "once"


def test_below_the_level_nothing_is_written(capsys):
    configure_logging("notes", "warning")

    log.info("quiet")

    assert capsys.readouterr().out == ""


def test_consumers_get_their_logs_without_flask():
    script = "import sys, oja_web.logs; assert 'flask' not in sys.modules"

    subprocess.run([sys.executable, "-c", script], check=True)
