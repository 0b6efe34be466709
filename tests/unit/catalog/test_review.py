"""What a review may become, and what of it counts."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from catalog.domain.review import Author, Opinion, Review, ReviewStatus, Weight, public_name
from catalog.settings import Settings
from oja_events.contracts.catalog import ReviewPosted
from tests.unit.catalog.builders import NOW

GOOD = Opinion(5, "Good", "Strong handles.")
LATER = NOW + timedelta(days=1)


def a_review(*, moderated=False):
    return Review.post(
        review_id=uuid4(),
        product_id=uuid4(),
        author=Author(uuid4(), "Ada O."),
        opinion=GOOD,
        moderated=moderated,
        verified=True,
        now=NOW,
    )


def test_a_review_counts_while_everybody_may_see_it():
    review = a_review()
    assert review.weight == Weight(1, 5)

    review.decide(ReviewStatus.HIDDEN, now=LATER)

    assert review.weight == Weight(0, 0)
    assert a_review(moderated=True).weight == Weight(0, 0)


def test_a_review_is_told_once_and_its_changes_are_not():
    review = a_review()

    review.rewrite(replace(GOOD, rating=1), moderated=False, now=LATER)

    [told] = review.pull_events()
    assert isinstance(told, ReviewPosted)
    assert (told.rating, told.status, told.verified_purchase) == (5, "published", True)
    assert review.pull_events() == []


@pytest.mark.parametrize(
    ("before", "moderated", "after"),
    [
        (ReviewStatus.PUBLISHED, False, ReviewStatus.PUBLISHED),
        (ReviewStatus.PUBLISHED, True, ReviewStatus.PENDING),
        (ReviewStatus.HIDDEN, False, ReviewStatus.HIDDEN),
        (ReviewStatus.HIDDEN, True, ReviewStatus.HIDDEN),
        (ReviewStatus.PENDING, False, ReviewStatus.PENDING),
    ],
)
def test_rewriting_shows_nothing_that_staff_have_not_seen(before, moderated, after):
    review = a_review()
    review.status = before

    review.rewrite(replace(GOOD, body="Other"), moderated=moderated, now=LATER)

    assert (review.status, review.version, review.updated_at) == (after, 2, LATER)


def test_the_same_again_changes_nothing():
    review = a_review()

    review.rewrite(GOOD, moderated=True, now=LATER)
    review.decide(ReviewStatus.PUBLISHED, now=LATER)

    assert (review.status, review.version, review.updated_at) == (ReviewStatus.PUBLISHED, 1, NOW)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ada Obi", "Ada O."),
        ("  Ada   Ngozi Obi ", "Ada O."),
        ("Ada", "Ada"),
        ("", "Customer"),
    ],
)
def test_strangers_see_no_more_than_the_beginning_of_a_name(name, shown):
    assert public_name(name) == shown


def test_moderation_is_on_or_off_and_nothing_between():
    env = dict.fromkeys(("DATABASE_URL", "BROKER_URL", "REDIS_URL"), "x")
    env |= {"JWT_PUBLIC_KEYS": "{}", "JWT_ISSUER": "x"}
    env |= {"INTERNAL_TOKEN": "t" * 40, "FEED_URLS": "{}"}

    assert not Settings.from_env(env).reviews_moderated
    assert Settings.from_env(env | {"REVIEWS_MODERATED": "true"}).reviews_moderated
    with pytest.raises(ValueError, match="REVIEWS_MODERATED must be true or false"):
        Settings.from_env(env | {"REVIEWS_MODERATED": "yes"})
