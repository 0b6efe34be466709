"""What customers see is told apart."""

import pytest
import requests

from tests.chaos.nemesis.answers import Answers, code_of, kind_of


def answer(status: int, body: str = "", **headers: str) -> requests.Response:
    made = requests.Response()
    made.status_code = status
    made._content = body.encode()
    made.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return made


@pytest.mark.parametrize(
    ("given", "asked_for", "kind"),
    [
        (answer(201), True, "2xx"),
        (answer(404), True, "4xx asked for"),
        (answer(404), False, "other 4xx"),
        (answer(503, Retry_After="1"), False, "503, come again"),
        (answer(502, Retry_After="1"), False, "502 or 504, come again"),
        (answer(503), False, "other 5xx"),
        (answer(500), False, "other 5xx"),
    ],
)
def test_an_answer_is_of_one_kind(given: requests.Response, asked_for: bool, kind: str) -> None:
    assert kind_of(given, asked_for) == kind


def test_a_problem_has_a_code() -> None:
    assert code_of(answer(409, '{"code": "order_not_ready"}')) == "order_not_ready"
    assert code_of(answer(502, "<html>")) == ""
    assert code_of(answer(200, "[]")) == ""


def test_what_nobody_should_see_is_told_in_words() -> None:
    answers = Answers()

    answers.count("2xx", "GET /")
    answers.count("other 5xx", "GET /: 500")

    assert answers.so_far() == {"2xx": 1, "other 5xx": 1}
    assert answers.odd() == ["other 5xx: GET /: 500"]
