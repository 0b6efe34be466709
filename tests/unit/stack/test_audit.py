"""How far back `./oja audit` looks."""

from datetime import timedelta

import pytest

from stack.failure import Failure
from stack.operating.books import parsed


@pytest.mark.parametrize(
    ("since", "window"),
    [
        ("90m", timedelta(minutes=90)),
        ("24h", timedelta(hours=24)),
        ("29d", timedelta(days=29)),
    ],
)
def test_a_time_is_a_number_with_its_unit(since: str, window: timedelta) -> None:
    assert parsed(since) == window


@pytest.mark.parametrize("since", ["", "h", "0h", "-1h", "24", "24x", "1.5h", "٣h", "30d"])
def test_what_is_no_time_or_longer_than_journals_are_kept_is_refused(since: str) -> None:
    with pytest.raises(Failure):
        parsed(since)
