"""What ordering's worker does by the clock."""

from sqlalchemy import text

from ordering.entrypoints.worker import purge_answers
from tests.integration.ordering.conftest import Ordering


def test_answers_whose_keys_have_expired_are_deleted_and_younger_ones_are_not(
    ordering: Ordering,
) -> None:
    old, young = ordering.customer(), ordering.customer()
    old.checkout("key-1")
    young.checkout("key-1")
    with ordering.deps.engine.begin() as connection:
        connection.execute(
            text("UPDATE idempotency_keys SET expires_at = now() WHERE caller = :caller"),
            {"caller": str(old.user_id)},
        )

    purged = [purge_answers(ordering.deps) for _ in range(2)]

    assert purged == [1, 0]
    assert "Idempotent-Replayed" not in old.checkout("key-1").headers
    assert "Idempotent-Replayed" in young.checkout("key-1").headers
