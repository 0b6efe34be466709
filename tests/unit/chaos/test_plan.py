"""What the nemesis will do is known from its seed."""

from itertools import islice

from tests.chaos.nemesis.faults import KINDS_OF_FAULTS
from tests.chaos.nemesis.plan import KINDS, Fault, plan

ALL = sum(len(kind.targets) for kind in KINDS)


def first(seed: int, count: int) -> list[Fault]:
    return list(islice(plan(seed), count))


def test_the_same_seed_makes_the_same_plan() -> None:
    assert first(7, 3 * ALL) == first(7, 3 * ALL)


def test_another_seed_makes_another_plan() -> None:
    assert first(7, 20) != first(8, 20)


def test_everything_happens_to_everybody_before_anything_happens_again() -> None:
    pairs = [(fault.kind, fault.target) for fault in first(7, ALL)]

    assert len(set(pairs)) == ALL
    assert set(pairs) == {(kind.name, target) for kind in KINDS for target in kind.targets}


def test_the_second_round_is_another_one() -> None:
    both = [(fault.kind, fault.target) for fault in first(7, 2 * ALL)]

    assert sorted(both[:ALL]) == sorted(both[ALL:])
    assert both[:ALL] != both[ALL:]


def test_faults_last_as_long_as_their_kind_allows() -> None:
    allowed = {kind.name: kind.seconds for kind in KINDS}

    for fault in first(7, ALL):
        shortest, longest = allowed[fault.kind]
        assert shortest <= fault.seconds <= longest
        assert fault.pause > 0


def test_faults_are_numbered_from_one() -> None:
    assert [fault.number for fault in first(7, 3)] == [1, 2, 3]


def test_each_kind_can_be_done() -> None:
    assert set(KINDS_OF_FAULTS) == {kind.name for kind in KINDS}
