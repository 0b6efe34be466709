"""What `./oja bench` writes for programs."""

import json
from pathlib import Path

import pytest

from stack.benchmarks import bench
from stack.benchmarks.bench import Bench
from stack.benchmarks.load import Measured
from stack.benchmarks.results import Results
from stack.failure import Failure


def test_results_name_the_reference_and_how_near_they_come(tmp_path: Path):
    results = Results("catalog")
    results.add("list_app", 3000.0, "requests/s", ("static_file", 60_000.0))
    results.add("list_p99_cold", 12.5, "ms")

    results.write(tmp_path / "results.json")

    assert json.loads((tmp_path / "results.json").read_text()) == {
        "name": "catalog",
        "results": [
            {
                "metric": "list_app",
                "value": 3000.0,
                "unit": "requests/s",
                "reference": "static_file",
                "reference_value": 60000.0,
                "ratio": 0.05,
            },
            {
                "metric": "list_p99_cold",
                "value": 12.5,
                "unit": "ms",
                "reference": None,
                "reference_value": None,
                "ratio": None,
            },
        ],
    }


@pytest.mark.parametrize("quick", [True, False])
def test_one_odd_run_does_not_count(quick: bool):
    speeds = iter([100.0, 5.0, 100.0, 120.0] if not quick else [5.0, 100.0, 120.0])
    measured = Bench(None, Results("x"), quick).median(  # type: ignore[arg-type]
        "something", lambda _seconds: Measured(next(speeds), 1.0)
    )

    assert measured.per_second == 100.0


def test_an_unknown_benchmark_is_named():
    with pytest.raises(Failure, match=r"no benchmark 'nonsense'; there is .*orders"):
        bench("nonsense", quick=True, json_file=None)
