"""All of it at the same moment, in threads, on one order."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random
from threading import Barrier

import pytest

from tests.integration.money.judging import judge_at_rest
from tests.integration.money.test_table import Story, paid, paying_twice, placed
from tests.integration.money.world import REFUSALS, Delivery, Services, bring_to_rest

ROUNDS = 4


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("situation", [placed, paying_twice, paid], ids=lambda each: each.__name__)
def test_of_a_capture_and_a_cancellation_at_once_one_prevails(
    services: Services, situation: Callable[[Story], None]
) -> None:
    for number in range(ROUNDS):
        story = Story(services)
        situation(story)
        for page in story.pages:
            story.capture(page)
        deeds = hearing_of_money(story) + changing_their_minds(story)
        Random(number).shuffle(deeds)  # noqa: S311

        at_once(deeds)
        story.world.pump()
        assert story.world.in_flight
        at_once([deliver_twice(story, delivery) for delivery in story.world.in_flight])
        story.world.pump()

        bring_to_rest(story.world)
        judge_at_rest(story.world)


def hearing_of_money(story: Story) -> list[Callable[[], object]]:
    world = story.world
    for webhook in world.paystack.webhooks:
        world.receive_webhook(webhook)
    world.pass_time()
    looks = [lambda page=page: world.look(page) for page in story.pages]
    return [*looks, world.apply_webhooks, world.reconcile]


def changing_their_minds(story: Story) -> list[Callable[[], object]]:
    world, order_id = story.world, story.order_id
    world.run_out([order_id])
    return [
        world.sweep_deadlines,
        lambda: world.cancel(order_id),
        lambda: world.cancel_by_staff(order_id),
        lambda: world.refund_by_staff(story.pages[0].reference, None),
    ]


def deliver_twice(story: Story, delivery: Delivery) -> Callable[[], object]:
    handle = story.world.services.handlers[delivery.service].handle
    return lambda: [handle(delivery.body, {}) for _ in range(2)]


def at_once(deeds: list[Callable[[], object]]) -> None:
    """Start all of them at the same moment; what is refused is refused."""
    start = Barrier(len(deeds))

    def run(deed: Callable[[], object]) -> None:
        start.wait()
        with suppress(*REFUSALS):
            deed()

    with ThreadPoolExecutor(len(deeds)) as pool:
        for done in [pool.submit(run, deed) for deed in deeds]:
            done.result()
