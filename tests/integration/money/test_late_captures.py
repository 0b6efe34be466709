"""Money that comes when nobody expects it any more."""

import pytest

from payments.domain.payment import CHECK_AFTER
from tests.integration.money.judging import judge_at_rest
from tests.integration.money.test_table import Story, waiting
from tests.integration.money.world import Services, bring_to_rest

UNTIL_72_HOURS = 7


@pytest.fixture
def expired(services: Services, impatient: None) -> Story:
    """The time to pay was over long ago, and the page is open all the same."""
    story = Story(services)
    waiting(story)
    story.world.run_out([story.order_id])
    story.world.sweep_deadlines()
    story.hear()
    assert story.outcome() == "unpaid"
    return story


def look(story: Story, times: int) -> None:
    for _ in range(times):
        story.world.pass_time()
        story.world.reconcile()


def test_a_capture_after_three_days_whose_webhook_is_lost_is_found_and_goes_back(
    expired: Story,
) -> None:
    look(expired, UNTIL_72_HOURS)

    expired.capture()
    expired.world.paystack.webhooks.clear()
    look(expired, 1)
    bring_to_rest(expired.world)

    assert expired.outcome() == "refunded"
    judge_at_rest(expired.world)


def test_a_capture_after_the_last_look_goes_back_when_its_webhook_comes(expired: Story) -> None:
    look(expired, len(CHECK_AFTER))
    assert is_looked_after(expired) == [False]

    expired.capture()
    expired.hear()
    bring_to_rest(expired.world)

    assert expired.outcome() == "refunded"
    judge_at_rest(expired.world)


def is_looked_after(story: Story) -> list[bool]:
    query = "SELECT next_check_at IS NOT NULL AS yes FROM payments WHERE order_id = :id"
    return [row.yes for row in story.world.services.rows("payments", query, id=story.order_id)]
