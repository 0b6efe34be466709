"""Reviews in Postgres, and what they add up to on the product."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from catalog.adapters.mapping import review_from, review_values, write_review
from catalog.adapters.tables import BarredReviewerRow, ProductRow, PurchaseRow, ReviewRow
from catalog.domain.review import Review, Weight
from catalog.use_cases.errors import AlreadyReviewed, ProductNotFound, ReviewNotFound
from oja_events.outbox import Outbox

# Added to what is there in one statement, so that it is right however many write at a time.
_COUNT = text("""
    UPDATE products SET
        rating_count = rating_count + :count,
        rating_sum = rating_sum + :stars,
        rating_average = coalesce(
            round(100.0 * (rating_sum + :stars) / nullif(rating_count + :count, 0)), 0)
    WHERE id = :product_id
""")
# Who posts a review anew must see whether the one withdrawn a moment ago had been hidden.
_TAKE_TURNS = text("""
    SELECT pg_advisory_xact_lock(
        hashtext('catalog reviews'), hashtext(CAST(:customer_id AS text)))
""")
_NOTHING = Weight(0, 0)


class SqlReviewRepository:
    def __init__(self, session: Session, outbox: Outbox) -> None:
        self._session = session
        self._outbox = outbox
        self._weights: dict[UUID, Weight] = {}

    def next_id(self) -> UUID:
        return uuid7()

    def add(self, review: Review) -> None:
        self._check_product(review.product_id)
        statement = insert(ReviewRow).values(**review_values(review)).on_conflict_do_nothing()
        if self._session.scalar(statement.returning(ReviewRow.id)) is None:
            raise AlreadyReviewed
        self._count(review, review.weight)
        self._outbox.add(*review.pull_events())

    def get(self, review_id: UUID) -> Review:
        row = self._session.get(ReviewRow, review_id, with_for_update=True, populate_existing=True)
        if row is None:
            raise ReviewNotFound(review_id)
        review = review_from(row)
        self._weights[review_id] = review.weight
        return review

    def save(self, review: Review) -> None:
        write_review(review, self._session.get_one(ReviewRow, review.id))
        self._session.flush()
        self._count(review, review.weight)
        self._outbox.add(*review.pull_events())

    def remove(self, review: Review) -> None:
        self._session.delete(self._session.get_one(ReviewRow, review.id))
        self._session.flush()
        self._count(review, _NOTHING)

    def take_turns(self, customer_id: UUID) -> None:
        self._session.execute(_TAKE_TURNS, {"customer_id": customer_id})

    def bar(self, review: Review) -> None:
        barred = {"customer_id": review.author.customer_id, "product_id": review.product_id}
        self._session.execute(insert(BarredReviewerRow).values(barred).on_conflict_do_nothing())

    def is_barred(self, customer_id: UUID, product_id: UUID) -> bool:
        return self._session.get(BarredReviewerRow, (customer_id, product_id)) is not None

    def has_bought(self, customer_id: UUID, product_id: UUID) -> bool:
        bought = exists().where(
            PurchaseRow.customer_id == customer_id, PurchaseRow.product_id == product_id
        )
        return bool(self._session.scalar(select(bought)))

    def note_purchases(
        self, customer_id: UUID, product_ids: Collection[UUID], at: datetime
    ) -> None:
        rows = [
            {"customer_id": customer_id, "product_id": each, "completed_at": at}
            for each in sorted(product_ids)
        ]
        self._session.execute(insert(PurchaseRow).values(rows).on_conflict_do_nothing())

    def _check_product(self, product_id: UUID) -> None:
        query = select(ProductRow.id).where(
            ProductRow.id == product_id, ProductRow.status == "published"
        )
        if self._session.scalar(query.with_for_update(read=True, key_share=True)) is None:
            raise ProductNotFound(product_id)

    def _count(self, review: Review, weight: Weight) -> None:
        """Put this weight in the place of the one that the review had."""
        before = self._weights.get(review.id, _NOTHING)
        self._weights[review.id] = weight
        if weight != before:
            self._session.execute(
                _COUNT,
                {
                    "product_id": review.product_id,
                    "count": weight.count - before.count,
                    "stars": weight.stars - before.stars,
                },
            )
