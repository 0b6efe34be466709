"""Who is how far behind, counted from what each service says of itself."""

from oja_events.operating import Lag
from stack.operating.lag import behind, sources_of
from stack.services import SERVICES


def a_lag(head: int, **cursors: int) -> Lag:
    return Lag(pending=0, oldest_seconds=0, head=head, backlog=0, parked=0, cursors=cursors)


def test_a_consumer_compares_the_feeds_of_those_it_listens_to() -> None:
    assert sources_of("ordering") == ["catalog", "identity", "payments"]


def test_a_consumer_is_behind_by_what_it_has_not_compared() -> None:
    services = {service: a_lag(100) for service in SERVICES} | {"ordering": a_lag(7, catalog=60)}

    assert behind(services)["ordering"] == {"catalog": 40, "identity": 100, "payments": 100}
    assert behind(services)["catalog"]["ordering"] == 7
