import os
from pathlib import Path

import pytest

from tests.sabotage import sweep
from tests.support.books import green_books
from tests.support.shop import shop

__all__ = ["green_books", "shop"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table of the crash sweep, if there was one."""
    outcomes = {
        outcome: [report.nodeid for report in reports if hasattr(report, "nodeid")]
        for outcome, reports in terminalreporter.stats.items()
    }
    if text := sweep.table(outcomes):
        terminalreporter.section("crash sweep")
        terminalreporter.write_line(text)
        file = sweep.save(text, Path(os.environ["OJA_TEST_STACK"]).parent)
        terminalreporter.write_line(f"{file}")
