"""The names on the broker, how often something is tried again, and who may do what."""

import base64
import hashlib
import re
from typing import Any

import pytest

from oja_events.contracts import EVENTS
from oja_events.topology import (
    CONSUMERS,
    EVENTS_EXCHANGE,
    HOURLY_RETRIES,
    PRODUCERS,
    RETRY_TIERS,
    broker_definitions,
    lanes,
    lanes_exchange,
    main_queue,
    parking_queue,
    retry_queue,
    retry_tier,
)

PASSWORDS = {service: f"secret of {service}" for service in PRODUCERS}
DEFINITIONS = broker_definitions(PASSWORDS, ("root", "secret of root"))
POLICIES: list[dict[str, Any]] = DEFINITIONS["policies"]


def permission_of(user: str) -> dict[str, str]:
    [found] = [each for each in DEFINITIONS["permissions"] if each["user"] == user]
    return found


def topic_permission_of(user: str) -> dict[str, str]:
    [found] = [each for each in DEFINITIONS["topic_permissions"] if each["user"] == user]
    return found


def queues_of(service: str) -> list[str]:
    return list(lanes(service).values())


def policies_of(queue: str) -> list[dict[str, Any]]:
    return [policy for policy in POLICIES if re.search(policy["pattern"], queue)]


def ladder() -> list[str]:
    """Where a message waits that fails every time."""
    rooms: list[str] = []
    while room := retry_tier(len(rooms)):
        rooms.append(room)
    return rooms


def test_the_ladder_grows_then_goes_on_hourly_then_gives_up() -> None:
    assert ladder() == ["5s", "30s", "2m", "10m", *["1h"] * HOURLY_RETRIES]
    assert retry_tier(10_000) is None


def test_trying_again_lasts_about_a_day() -> None:
    seconds = sum(RETRY_TIERS[tier] for tier in ladder())

    assert 23 * 3600 <= seconds <= 25 * 3600


@pytest.mark.parametrize("service", CONSUMERS)
def test_every_lane_leads_to_a_queue_of_the_service(service: str) -> None:
    assert lanes(service)["main"] == main_queue(service)
    assert lanes(service)["parking"] == parking_queue(service)
    for tier in RETRY_TIERS:
        assert lanes(service)[f"retry.{tier}"] == retry_queue(service, tier)


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy["name"])
def test_what_leaves_a_queue_by_itself_arrives_at_least_once(policy: dict[str, Any]) -> None:
    definition = policy["definition"]

    assert definition["dead-letter-strategy"] == "at-least-once"
    assert definition["overflow"] == "reject-publish"
    service = policy["name"].split(".")[0]
    assert definition["dead-letter-exchange"] == lanes_exchange(service)
    assert definition["dead-letter-routing-key"] in lanes(service)


@pytest.mark.parametrize("service", CONSUMERS)
def test_a_policy_is_for_one_queue_and_only_parking_needs_none(service: str) -> None:
    for queue in queues_of(service):
        expected = [] if queue == parking_queue(service) else [queue]
        assert [policy["name"] for policy in policies_of(queue)] == expected
    assert policies_of(main_queue(service) + "x") == []
    assert policies_of(main_queue(service).replace(".", "x")) == []


@pytest.mark.parametrize("service", CONSUMERS)
def test_a_message_that_kills_its_consumers_is_parked_and_a_waiting_one_comes_back(
    service: str,
) -> None:
    [main] = policies_of(main_queue(service))
    assert main["definition"]["dead-letter-routing-key"] == "parking"
    assert main["definition"]["delivery-limit"] >= 5

    for tier, seconds in RETRY_TIERS.items():
        [waiting] = policies_of(retry_queue(service, tier))
        assert waiting["definition"]["dead-letter-routing-key"] == "main"
        assert waiting["definition"]["message-ttl"] == seconds * 1000


@pytest.mark.parametrize("kind", ["configure", "write", "read"])
@pytest.mark.parametrize("service", PRODUCERS)
def test_a_service_reaches_no_queue_and_no_lane_of_another(service: str, kind: str) -> None:
    allowed = permission_of(service)[kind]
    others = [other for other in CONSUMERS if other != service]

    for other in others:
        for name in [*queues_of(other), lanes_exchange(other)]:
            assert not re.search(allowed, name)
    for name in (f"x{service}.main", f"{service}x.main", "amq.topic", ""):
        assert not re.search(allowed, name)


@pytest.mark.parametrize("service", CONSUMERS)
def test_a_service_commands_its_own_queues_and_uses_the_common_exchange(service: str) -> None:
    permission = permission_of(service)

    for name in [*queues_of(service), lanes_exchange(service)]:
        assert all(re.search(permission[kind], name) for kind in ("configure", "write", "read"))
    assert re.search(permission["write"], EVENTS_EXCHANGE)
    assert re.search(permission["read"], EVENTS_EXCHANGE)
    assert not re.search(permission["configure"], EVENTS_EXCHANGE)


@pytest.mark.parametrize("service", PRODUCERS)
def test_a_service_speaks_in_its_own_name_only_and_hears_everybody(service: str) -> None:
    permission = topic_permission_of(service)

    assert permission["exchange"] == EVENTS_EXCHANGE
    for event_type in EVENTS:
        own = event_type.startswith(f"oja.{service}.")
        assert bool(re.search(permission["write"], event_type)) == own
        assert re.search(permission["read"], event_type)


def test_no_password_is_written_down() -> None:
    text = repr(DEFINITIONS)

    assert "secret" not in text
    for user in DEFINITIONS["users"]:
        password = PASSWORDS.get(user["name"], "secret of root")
        salted = base64.b64decode(user["password_hash"])
        assert salted[4:] == hashlib.sha256(salted[:4] + password.encode()).digest()


def test_only_the_administrator_has_a_tag() -> None:
    assert {user["name"] for user in DEFINITIONS["users"] if user["tags"]} == {"root"}


def test_exchanges_survive_a_restart() -> None:
    names = {each["name"] for each in DEFINITIONS["exchanges"]}

    assert names == {EVENTS_EXCHANGE, *(lanes_exchange(service) for service in CONSUMERS)}
    assert all(each["durable"] and not each["auto_delete"] for each in DEFINITIONS["exchanges"])
