"""What customers say about products, and what staff decide about it."""

from dataclasses import replace
from typing import TypedDict
from uuid import UUID

from catalog.domain.review import Author, Opinion, Review, ReviewStatus, public_name
from catalog.use_cases.commands import Precondition
from catalog.use_cases.errors import AccountClosed, ReviewNotFound
from catalog.use_cases.ports import UnitOfWork


class OpinionDraft(TypedDict, total=False):
    """What is left out of a change stays as it is."""

    rating: int
    title: str
    body: str


def post_review(
    product_id: UUID,
    opinion: Opinion,
    *,
    customer_id: UUID,
    name: str,
    moderated: bool,
    uow: UnitOfWork,
) -> UUID:
    """A customer's only review of a product; raises ProductNotFound, AlreadyReviewed,
    AccountClosed.

    Who has withdrawn one that staff had hidden cannot show it again by posting it anew.
    """
    with uow:
        if uow.erasures.has_left(customer_id):
            raise AccountClosed(customer_id)
        uow.reviews.take_turns(customer_id)
        review = Review.post(
            review_id=uow.reviews.next_id(),
            product_id=product_id,
            author=Author(customer_id, public_name(name)),
            opinion=opinion,
            moderated=moderated or uow.reviews.is_barred(customer_id, product_id),
            verified=uow.reviews.has_bought(customer_id, product_id),
            now=uow.now(),
        )
        uow.reviews.add(review)
        uow.commit()
    return review.id


def change_review(
    product_id: UUID,
    review_id: UUID,
    draft: OpinionDraft,
    *,
    customer_id: UUID,
    moderated: bool,
    uow: UnitOfWork,
) -> None:
    """Raises ReviewNotFound, also when it is somebody else's."""
    with uow:
        review = _own(product_id, review_id, customer_id, uow)
        opinion = replace(review.opinion, **draft)
        review.rewrite(opinion, moderated=moderated, now=uow.now())
        uow.reviews.save(review)
        uow.commit()


def withdraw_review(
    product_id: UUID, review_id: UUID, *, customer_id: UUID, uow: UnitOfWork
) -> None:
    """Raises ReviewNotFound, also when it is somebody else's."""
    with uow:
        # Before anything is locked: whoever erases them locks their reviews after this.
        left = uow.erasures.has_left(customer_id)
        uow.reviews.take_turns(customer_id)
        review = _own(product_id, review_id, customer_id, uow)
        if review.status is ReviewStatus.HIDDEN and not left:
            uow.reviews.bar(review)
        uow.reviews.remove(review)
        uow.commit()


def moderate_review(
    review_id: UUID, status: ReviewStatus, *, precondition: Precondition, uow: UnitOfWork
) -> None:
    """Show a review, or hide it from everybody; raises ReviewNotFound."""
    with uow:
        review = uow.reviews.get(review_id)
        precondition(review.version)
        before = {"status": review.status}
        review.decide(status, now=uow.now())
        uow.reviews.save(review)
        after = {"status": review.status}
        uow.audit.note("review_moderated", review.id, before=before, after=after)
        uow.commit()


def _own(product_id: UUID, review_id: UUID, customer_id: UUID, uow: UnitOfWork) -> Review:
    review = uow.reviews.get(review_id)
    if (review.product_id, review.author.customer_id) != (product_id, customer_id):
        raise ReviewNotFound(review_id)
    return review
