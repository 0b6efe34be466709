import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, text

from oja_web import idempotency, leases
from oja_web.idempotency_store import (
    Answer,
    KeyStore,
    KeyTaken,
    RequestKey,
    idempotency_keys,
    purge_expired,
)
from oja_web.testing import bearer, make_token, problem
from tests.integration.web.conftest import (
    be_unreachable,
    fail,
    refuse,
    refuse_for_now,
)
from tests.support.waiting import wait_until

BOTH = pytest.mark.parametrize("path", ["/api/orders", "/api/payments"])
YAM = {"item": "yam"}


@pytest.fixture
def ada(keys) -> dict[str, str]:
    return bearer(make_token(keys.private_pem))


@pytest.fixture
def send(app, ada):
    def send(path, key="k1", json=YAM, headers=ada):
        given = {} if key is None else {"Idempotency-Key": key}
        return app.test_client().post(path, json=json, headers={**headers, **given})

    return send


def expire(shop) -> None:
    with shop.sessions.begin() as session:
        session.execute(text("UPDATE idempotency_keys SET expires_at = now() - interval '1 s'"))


@BOTH
def test_s37_a_request_without_a_key_is_refused(send, shop, path):
    problem(send(path, key=None), 400, "idempotency_key_required")

    assert shop.orders() == 0


@BOTH
@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "é", "a\tb"])
def test_a_malformed_key_is_refused(send, path, key):
    problem(send(path, key=key), 400, "idempotency_key_invalid")


@BOTH
def test_the_key_is_looked_at_before_the_body(send, path):
    problem(send(path, key=None, json={"nonsense": 1}), 400, "idempotency_key_required")


@BOTH
@pytest.mark.parametrize("key", ["!", "x" * 255, "~%'\"\\;--"])
def test_any_visible_ascii_is_a_key(send, path, key):
    assert send(path, key=key).status_code == 201


@BOTH
def test_s37_the_second_time_gets_the_first_answer(send, shop, path):
    first = send(path)
    second = send(path)

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.data == first.data
    for name in ("Content-Type", "Content-Length", "Location", "ETag"):
        assert second.headers[name] == first.headers[name]
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    assert "Set-Cookie" not in second.headers
    assert shop.orders() == 1


@BOTH
def test_another_order_of_keys_is_the_same_request(app, ada, send, shop, path):
    send(path, json={"item": "yam", "note": "soon"})

    again = app.test_client().post(
        path,
        data=b'{ "note":"soon",   "item":"\\u0079am" }',
        content_type="application/json",
        headers={**ada, "Idempotency-Key": "k1"},
    )

    assert again.headers["Idempotent-Replayed"] == "true"
    assert shop.orders() == 1


@BOTH
def test_s37_another_body_under_the_same_key_is_refused(send, shop, path):
    send(path)

    problem(send(path, json={"item": "rice"}), 422, "idempotency_key_reused")
    assert shop.orders() == 1


@BOTH
def test_other_keys_other_callers_and_other_routes_are_other_requests(send, keys, shop, path):
    bola = bearer(make_token(keys.private_pem))

    answers = [send(path), send(path, key="k2"), send(path, headers=bola), send("/api/gifts")]

    assert [answer.status_code for answer in answers] == [201] * 4
    assert shop.orders() == 4


@BOTH
def test_a_refusal_is_an_answer_like_any_other(send, shop, path):
    shop.then = refuse
    first = send(path)
    shop.then = lambda: None
    second = send(path)

    problem(first, 409, "sold_out")
    problem(second, 409, "sold_out")
    assert second.data == first.data
    assert second.headers["Idempotent-Replayed"] == "true"


def test_a_refusal_undoes_what_was_done(send, shop):
    shop.then = refuse

    send("/api/orders")

    assert shop.orders() == 0


def test_who_answers_before_a_refusal_is_kept_has_the_last_word(send, shop, monkeypatch):
    make_problem, answers = idempotency.problem_response, []

    def meanwhile(problem):
        monkeypatch.undo()
        shop.then = lambda: None
        with ThreadPoolExecutor() as pool:
            answers.append(pool.submit(send, "/api/orders").result())
        return make_problem(problem)

    shop.then = refuse
    monkeypatch.setattr(idempotency, "problem_response", meanwhile)
    refused = send("/api/orders")

    assert (answers[0].status_code, refused.data) == (201, answers[0].data)
    assert shop.orders() == 1


def test_work_that_forgets_to_commit_is_a_mistake_and_nothing_stays(send, shop, monkeypatch):
    monkeypatch.setattr(idempotency._Inside, "commit", lambda _: None)

    assert send("/api/orders").status_code == 500
    assert shop.orders() == 0


@BOTH
@pytest.mark.parametrize(
    ("trouble", "status"), [(refuse_for_now, 409), (fail, 500), (be_unreachable, 503)]
)
def test_what_asks_for_a_retry_is_not_stored(send, shop, path, trouble, status):
    shop.then = trouble
    first = send(path)
    shop.then = lambda: None
    second = send(path)

    assert (first.status_code, second.status_code) == (status, 201)
    assert "Idempotent-Replayed" not in second.headers


@pytest.mark.parametrize("trouble", [refuse_for_now, fail, be_unreachable])
def test_a_failure_undoes_everything(send, shop, trouble):
    shop.then = trouble

    send("/api/orders")

    assert shop.orders() == 0


@BOTH
def test_an_expired_key_is_new_again(send, shop, path):
    send(path)
    expire(shop)

    again = send(path, json={"item": "rice"})

    assert (again.status_code, again.json["item"]) == (201, "rice")
    assert send(path, json={"item": "rice"}).headers["Idempotent-Replayed"] == "true"


@BOTH
def test_s37_while_the_first_runs_the_second_is_told_to_wait(send, shop, path):
    may_go_on = threading.Event()
    shop.then = lambda: may_go_on.wait(10)

    with ThreadPoolExecutor() as pool:
        first = pool.submit(send, path)
        assert shop.started.wait(10)
        second = send(path)
        may_go_on.set()

    problem(second, 409, "request_in_progress")
    assert int(second.headers["Retry-After"]) >= 1
    assert first.result().status_code == 201
    assert send(path).data == first.result().data
    assert shop.orders() == 1


@BOTH
def test_twenty_at_once_take_effect_once(send, shop, path):
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: send(path), range(20)))

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.data for answer in answers if answer.status_code == 201}) == 1
    assert shop.orders() == 1


def test_an_answer_that_came_while_the_lock_was_taken_is_not_overwritten(shop):
    key, answer = RequestKey("ada", "POST /api/orders", "k1"), Answer(201, [], b"first")

    with shop.sessions() as late:
        assert KeyStore(late).take(key) is None
        with shop.sessions.begin() as early:
            KeyStore(early).keep(key, b"fingerprint", answer)
        with pytest.raises(KeyTaken):
            KeyStore(late).keep(key, b"fingerprint", Answer(201, [], b"second"))

    with shop.sessions() as session:
        assert KeyStore(session).find(key).answer == answer


def test_after_the_lease_the_work_of_a_dead_process_is_done_again(send, shop):
    send("/api/payments")
    with shop.sessions.begin() as session:
        session.execute(
            text(
                "UPDATE idempotency_keys SET state = 'running', body = NULL, status = NULL,"
                " headers = NULL, locked_until = clock_timestamp() + interval '1 hour'"
            )
        )
    problem(send("/api/payments"), 409, "request_in_progress")

    with shop.sessions.begin() as session:
        session.execute(text("UPDATE idempotency_keys SET locked_until = clock_timestamp()"))

    assert send("/api/payments").status_code == 201
    assert send("/api/payments").headers["Idempotent-Replayed"] == "true"
    problem(send("/api/payments", json={"item": "rice"}), 422, "idempotency_key_reused")


def test_work_that_takes_longer_than_a_lease_keeps_its_key(send, shop, monkeypatch):
    monkeypatch.setattr(leases, "BEAT_SECONDS", 0.02)
    monkeypatch.setattr(leases, "_thread", None)  # the running one has another rhythm
    may_go_on = threading.Event()
    shop.then = lambda: may_go_on.wait(10)

    with ThreadPoolExecutor() as pool:
        slow = pool.submit(send, "/api/payments")
        assert shop.started.wait(10)
        before = locked_until(shop)
        wait_until(lambda: locked_until(shop) > before)
        problem(send("/api/payments"), 409, "request_in_progress")
        may_go_on.set()

    assert slow.result().status_code == 201
    assert send("/api/payments").headers["Idempotent-Replayed"] == "true"


def test_the_key_of_a_killed_process_is_free_within_seconds(send, shop):
    may_go_on = threading.Event()
    shop.then = lambda: may_go_on.wait(10)

    with ThreadPoolExecutor() as pool:
        pool.submit(send, "/api/payments")
        assert shop.started.wait(10)
        wait = int(send("/api/payments").headers["Retry-After"])
        may_go_on.set()

    assert 1 <= wait <= leases.LEASE_SECONDS


def locked_until(shop):
    with shop.sessions.begin() as session:
        return session.scalar(text("SELECT locked_until FROM idempotency_keys"))


def test_a_process_that_outlived_its_lease_does_not_overwrite_its_successor(send, shop):
    may_go_on = threading.Event()

    def outlive_the_lease() -> None:
        shop.then = lambda: None
        may_go_on.wait(10)

    shop.then = outlive_the_lease
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(send, "/api/payments")
        assert shop.started.wait(10)
        with shop.sessions.begin() as session:
            session.execute(text("UPDATE idempotency_keys SET locked_until = clock_timestamp()"))
        quick = send("/api/payments")
        may_go_on.set()

    assert (slow.result().status_code, quick.status_code) == (201, 201)
    assert send("/api/payments").data == quick.data


def test_expired_keys_are_purged_and_others_stay(send, shop):
    for number in range(5):
        send("/api/orders", key=f"old-{number}")
    expire(shop)
    send("/api/orders", key="young")

    with shop.sessions.begin() as session:
        purged = [purge_expired(session, limit=3) for _ in range(3)]
        left = session.scalars(text("SELECT key FROM idempotency_keys")).all()

    assert purged == [3, 2, 0]
    assert left == ["young"]


def test_the_table_is_as_the_migration_makes_it(engine):
    metadata = MetaData()
    idempotency_keys(metadata)
    options = {"include_name": lambda name, kind, _parents: kind != "table" or name != "orders"}
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)

        assert compare_metadata(context, metadata) == []
