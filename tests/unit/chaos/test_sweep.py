"""The table of the crash sweep."""

from tests.sabotage.sweep import table

TEST = "tests/chaos/test_crash_points.py::test_whoever_dies[{}]"


def test_it_tells_what_came_of_each_time_at_each_point() -> None:
    shown = table(
        {
            "passed": [TEST.format("relay.1-ordering-1"), "tests/chaos/test_other.py::test_it"],
            "failed": [TEST.format("relay.1-ordering-2")],
            "skipped": [TEST.format("web.1-ordering-2")],
        }
    )

    assert shown.splitlines() == [
        "| point | dies | time 1 | time 2 |",
        "|---|---|---|---|",
        "| relay.1 | ordering | ok | FAILED |",
        "| web.1 | ordering |  | - |",
        "",
        "2 points, 2 crashes, 1 failures; - is a point that the journey passes less often.",
    ]


def test_without_a_sweep_there_is_none() -> None:
    assert table({"passed": ["tests/chaos/test_other.py::test_it"]}) == ""
