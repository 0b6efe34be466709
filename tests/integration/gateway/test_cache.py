"""What the gateway keeps for everybody: public answers of catalog, for a second at most."""

import threading
import time
from uuid import uuid4

import pytest

from tests.integration.gateway.conftest import Shop
from tests.integration.gateway.services import JSON, Behaviour, Received, Reply
from tests.support.waiting import wait_until

PATHS = ["/api/products", "/api/products/basket", "/api/categories", "/api/tags"]
# When the first one has waited for so long, somebody else asks as well.
PATIENCE = 2.0


def counted(*, until: float, seconds: float = 0) -> Behaviour:
    """Numbers its answers; they may be kept until so many seconds from now."""
    number = iter(range(1000))

    def answer(_request: Received) -> Reply:
        time.sleep(seconds)
        body = f'{{"number":{next(number)}}}'.encode()
        expires = f"@{int(time.time() + until)}"
        return Reply(headers={**JSON, "ETag": '"v1"', "X-Accel-Expires": expires}, body=body)

    return answer


@pytest.fixture
def path(request: pytest.FixtureRequest) -> str:
    """An address that no other test has asked for."""
    return f"/api/products?q={abs(hash(request.node.name))}"


@pytest.mark.parametrize("address", PATHS)
def test_the_same_question_reaches_the_service_once(shop: Shop, address: str):
    shop.services["catalog"].behaviour = counted(until=60)

    answers = [shop.gateway.get(f"{address}?once") for _ in range(3)]

    assert [answer.json() for answer in answers] == [{"number": 0}] * 3
    assert shop.reached() == ["catalog"]


def test_another_query_is_another_question(shop: Shop, path: str):
    shop.services["catalog"].behaviour = counted(until=60)

    assert shop.gateway.get(path).json() != shop.gateway.get(path + "&size=5").json()


@pytest.mark.parametrize(
    "header", [("Authorization", "Bearer token"), ("Cookie", "oja_session=1"), ("Cookie", "a=b")]
)
def test_who_shows_who_he_is_gets_his_own_answer(shop: Shop, header: tuple[str, str], path: str):
    path += header[1].replace(" ", "")
    shop.services["catalog"].behaviour = counted(until=60)
    shop.gateway.get(path)

    own = shop.gateway.get(path, dict([header]))
    after = shop.gateway.get(path)

    assert own.json() == {"number": 1}
    assert after.json() == {"number": 0}


def test_nothing_is_kept_unless_the_service_says_so(shop: Shop, path: str):
    shop.gateway.get(path)
    shop.gateway.get(path)

    assert shop.reached() == ["catalog", "catalog"]


def test_nothing_is_kept_of_writes_and_of_other_services(shop: Shop):
    for name in ("catalog", "ordering"):
        shop.services[name].behaviour = counted(until=60)
    for _ in range(2):
        shop.gateway.request("POST", "/api/products/1/reviews", body=b"{}")
        shop.gateway.get("/api/cart")

    assert sorted(shop.reached()) == ["catalog"] * 2 + ["ordering"] * 2


def test_no_answer_is_older_than_a_second(shop: Shop, path: str):
    made, answer = [], counted(until=0)

    def dated(request: Received) -> Reply:
        reply = answer(request)
        made.append(time.time())
        return reply

    shop.services["catalog"].behaviour = dated

    def another_was_made() -> bool:
        asked = time.time()
        number = shop.gateway.get(path).json()["number"]
        assert asked - made[number] < 1
        return len(made) > 1

    wait_until(another_was_made, what="the first answer is forgotten")


def test_a_crowd_asks_the_service_once(shop: Shop, path: str):
    shop.services["catalog"].behaviour = counted(until=60, seconds=0.2)

    def reached_in_time() -> list[str]:
        shop.services["catalog"].received.clear()
        address, started = f"{path}&{uuid4().hex}", time.monotonic()
        crowd = [threading.Thread(target=shop.gateway.get, args=(address,)) for _ in range(8)]
        for each in crowd:
            each.start()
        for each in crowd:
            each.join()
        return shop.reached() if time.monotonic() - started < PATIENCE else []

    assert wait_until(reached_in_time, what="a crowd that is served in time") == ["catalog"]


def test_a_condition_of_one_is_not_answered_to_another(shop: Shop, path: str):
    shop.services["catalog"].behaviour = counted(until=60)

    same = shop.gateway.get(path, {"If-None-Match": '"v1"'})
    other = shop.gateway.get(path)

    assert (same.status, other.status) == (304, 200)
    assert shop.the_only_request().header("If-None-Match") is None
    assert other.header("ETag") == '"v1"'
    assert other.header("X-Accel-Expires") is None


def test_every_answer_has_the_id_of_its_own_request(shop: Shop, path: str):
    shop.services["catalog"].behaviour = counted(until=60)

    answers = [shop.gateway.get(path, {"X-Request-ID": f"crowd-{n}"}) for n in range(2)]

    assert [answer.header("X-Request-ID") for answer in answers] == ["crowd-0", "crowd-1"]
    assert {answer.header("Cache-Control") for answer in answers} == {"no-cache"}
