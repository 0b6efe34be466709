"""What people read after a run of the nemesis."""

import json
from pathlib import Path
from typing import Any

from tests.chaos.nemesis.plan import Fault
from tests.chaos.nemesis.report import Injected, Run, markdown, matrix, summary, write
from tests.chaos.nemesis.verdict import Verdict


def injected(kind: str, target: str, healed_after: float | None = 2.0, **saw: int) -> Injected:
    return Injected(Fault(1, kind, target, 0.0, 1.0), saw, healed_after)


def run(*faults: Injected, **verdict: Any) -> Run:
    judged = Verdict(seconds_to_rest=5.0, **verdict)
    return Run(seed=7, minutes=30, injected=list(faults), verdict=judged)


def test_processes_of_one_role_and_links_to_one_server_are_one_row() -> None:
    rows = matrix(
        [
            injected("kill", "ordering-http-1", 2.0, **{"2xx": 3}),
            injected("kill", "payments-http-1", 4.0, **{"2xx": 4}),
            injected("kill", "postgres", None),
            injected("cut", "ordering → redis"),
            injected("cut", "catalog → redis"),
        ]
    )

    assert [(row.kind, row.target, row.times) for row in rows] == [
        ("cut", "a service → redis", 2),
        ("kill", "http of a service", 2),
        ("kill", "postgres", 1),
    ]
    assert (rows[1].saw["2xx"], rows[1].median, rows[1].worst) == (7, 3.0, 4.0)
    assert (rows[2].worst, rows[2].not_healed) == (None, 1)


def test_a_run_is_good_when_all_healed_and_nothing_is_wrong() -> None:
    assert run(injected("kill", "redis")).is_good
    assert not run(injected("kill", "redis", None)).is_good
    assert not run(injected("kill", "redis"), lost=["1"]).is_good
    assert not Run(seed=7, minutes=30).is_good


def test_what_is_wrong_is_named() -> None:
    lines = summary(run(injected("kill", "redis", None), lost=["order 1"]))

    assert "WRONG, lost: order 1" in lines
    assert "NOT HEALED: 1. kill redis for 0.0 s" in lines


def test_it_is_written_for_people_and_for_programs(tmp_path: Path) -> None:
    told = run(injected("kill", "redis", **{"2xx": 3}), outcomes={"processing, paid": 2})

    files = write(told, tmp_path / "of" / "today")

    assert [file.name for file in files] == ["today.json", "today.md"]
    [row] = json.loads(files[0].read_text())["matrix"]
    assert (row["target"], row["saw"]) == ("redis", {"2xx": 3})
    assert files[1].read_text() == markdown(told)
    assert "| kill | redis | 1 | 3 |" in files[1].read_text()
