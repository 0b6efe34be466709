"""What a customer says about a product, and who may see it.

pending ──▶ published ◀──▶ hidden          (pending only where reviews are moderated)
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from oja_events.contracts import Event
from oja_events.contracts import catalog as told


class ReviewStatus(StrEnum):
    PENDING = "pending"
    PUBLISHED = "published"
    HIDDEN = "hidden"


# What staff may decide.
STAFF_STATUSES = (ReviewStatus.PUBLISHED, ReviewStatus.HIDDEN)


@dataclass(frozen=True, slots=True)
class Opinion:
    """`rating` in stars, 1 to 5; title and body are plain text, whatever they look like."""

    rating: int
    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Author:
    """`name` is what the public sees of the customer."""

    customer_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Weight:
    """What a review adds to the rating of its product."""

    count: int
    stars: int


@dataclass(slots=True, kw_only=True)
class Review:
    id: UUID
    product_id: UUID
    author: Author
    opinion: Opinion
    status: ReviewStatus
    created_at: datetime
    updated_at: datetime
    version: int = 1
    _events: list[Event] = field(default_factory=list, repr=False)

    @classmethod
    def post(
        cls,
        *,
        review_id: UUID,
        product_id: UUID,
        author: Author,
        opinion: Opinion,
        moderated: bool,
        verified: bool,
        now: datetime,
    ) -> "Review":
        """A new review: visible, unless somebody is to read it first."""
        review = cls(
            id=review_id,
            product_id=product_id,
            author=author,
            opinion=opinion,
            status=ReviewStatus.PENDING if moderated else ReviewStatus.PUBLISHED,
            created_at=now,
            updated_at=now,
        )
        review._tell(verified)
        return review

    @property
    def weight(self) -> Weight:
        """Only what is visible counts."""
        seen = self.status is ReviewStatus.PUBLISHED
        return Weight(1, self.opinion.rating) if seen else Weight(0, 0)

    def rewrite(self, opinion: Opinion, *, moderated: bool, now: datetime) -> None:
        """Say something else. What staff have hidden stays so; what they have not read is read."""
        if opinion == self.opinion:
            return
        self.opinion = opinion
        if moderated and self.status is ReviewStatus.PUBLISHED:
            self.status = ReviewStatus.PENDING
        self._changed(now)

    def decide(self, status: ReviewStatus, *, now: datetime) -> None:
        """Staff show it or hide it; the same again changes nothing."""
        if status is not self.status:
            self.status = status
            self._changed(now)

    def pull_events(self) -> list[Event]:
        """Hand over what there is to tell since the last call, oldest first."""
        events, self._events = self._events, []
        return events

    def _changed(self, now: datetime) -> None:
        self.updated_at = now
        self.version += 1

    def _tell(self, verified: bool) -> None:
        self._events.append(
            told.ReviewPosted(
                review_id=self.id,
                product_id=self.product_id,
                customer_id=self.author.customer_id,
                rating=self.opinion.rating,
                status=self.status.value,
                verified_purchase=verified,
                posted_at=self.created_at,
            )
        )


def public_name(name: str) -> str:
    """What strangers may know of a customer: "Ada Obi" is "Ada O."."""
    first, *others = name.split() or ["Customer"]
    return f"{first} {others[-1][0]}." if others else first
