"""Which tests `./oja test` runs for which words."""

from pathlib import Path

import pytest

from stack import testing
from stack.home import CHECKOUT


def test_without_words_it_is_everything_but_what_takes_long():
    levels, paths, rest = testing.split([])

    assert levels == ["unit", "contract", "e2e", "integration"]
    assert (paths, rest) == ([], [])


@pytest.mark.parametrize("level", testing.LEVELS)
def test_what_a_level_names_is_there(level: str):
    levels, _, rest = testing.split([level, "-k", "refund"])

    targets = testing._targets(level)
    assert (levels, rest) == ([level], ["-k", "refund"])
    assert all(Path(CHECKOUT, target).exists() for target in targets)


def test_the_long_level_tells_many_random_stories():
    assert "tests/integration/money/test_random_stories.py" in testing._targets("long")
    assert int(testing._LONG_STEPS["MONEY_STEPS"]) >= 100_000
