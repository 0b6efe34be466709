"""Pictures of products. A file is stored outside of every transaction; whatever happens in
between, one that no product shows is among the strays, and the worker removes it."""

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import BinaryIO
from uuid import UUID, uuid4

from catalog.domain.images import find, placed, without
from catalog.domain.product import Product
from catalog.domain.values import Image
from catalog.use_cases.commands import Precondition
from catalog.use_cases.errors import UploadOverdue
from catalog.use_cases.ports import ImageStore, Pictures, StoredImage, UnitOfWork

log = logging.getLogger(__name__)

# Far longer than an upload may take, so that nobody removes what is still on its way.
UPLOAD_LASTS_AT_MOST = timedelta(hours=1)
STRAYS_AT_ONCE = 5


@dataclass(frozen=True, slots=True)
class ImageDraft:
    """What staff say about a picture. None leaves it as it is; a new one goes to the end."""

    alt: str | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Studio:
    """Where an uploaded file becomes a clean picture, and then a stored one."""

    pictures: Pictures
    store: ImageStore
    unit_of_work: Callable[[], UnitOfWork]


def add_image(product_id: UUID, file: BinaryIO, draft: ImageDraft, *, studio: Studio) -> UUID:
    """A new picture of the product. Raises NotAPicture, BadPicture, ProductNotFound, TooManyImages,
    ImageStoreUnavailable; then there is nothing half-made."""

    def wanted(product: Product, stored: StoredImage) -> tuple[Image, ...]:
        end = len(product.images)
        position = end if draft.position is None else draft.position
        return placed(product.images, _image(image_id, stored, draft.alt or "", position))

    image_id = uuid4()
    _store(product_id, file, wanted, studio=studio)
    return image_id


def change_image(
    product_id: UUID,
    image_id: UUID,
    draft: ImageDraft,
    *,
    file: BinaryIO | None,
    precondition: Precondition,
    studio: Studio,
) -> None:
    """Describe, move or (with `file`) replace a picture; raises what add_image does, and
    ImageNotFound."""

    def wanted(product: Product, stored: StoredImage | None) -> tuple[Image, ...]:
        precondition(product.version)
        present = find(product.images, image_id)
        alt = present.alt if draft.alt is None else draft.alt
        position = present.position if draft.position is None else draft.position
        if stored:
            return placed(product.images, _image(image_id, stored, alt, position))
        return placed(product.images, replace(present, alt=alt, position=position))

    if file:
        _store(product_id, file, wanted, studio=studio)
        return
    with studio.unit_of_work() as uow:
        product = uow.products.get(product_id)
        _show(product, wanted(product, None), uow)
        uow.commit()


def remove_image(
    product_id: UUID, image_id: UUID, *, precondition: Precondition, uow: UnitOfWork
) -> None:
    """Take a picture away; its file follows. Raises ProductNotFound, ImageNotFound."""
    with uow:
        product = uow.products.get(product_id)
        precondition(product.version)
        find(product.images, image_id)
        _show(product, without(product.images, image_id), uow)
        uow.commit()


def remove_strays(*, store: ImageStore, unit_of_work: Callable[[], UnitOfWork]) -> int:
    """Remove files that no product shows any more, or never did; how many. One that cannot be
    removed now comes up again, later each time; raises the last error if none can."""
    with unit_of_work() as uow:
        due = uow.strays.claim(STRAYS_AT_ONCE)
        uow.commit()
    failures: list[Exception] = []
    for public_id in due:
        try:
            _remove(public_id, store, unit_of_work)
        except Exception as error:
            log.warning("a file could not be removed", extra={"file": public_id}, exc_info=True)
            failures.append(error)
    if failures and len(failures) == len(due):
        raise failures[-1]
    return len(due) - len(failures)


def _remove(public_id: str, store: ImageStore, unit_of_work: Callable[[], UnitOfWork]) -> None:
    store.remove(public_id)
    with unit_of_work() as uow:
        uow.strays.forget(public_id)
        uow.commit()


_UNSTORED = StoredImage(public_id="", url="", thumbnail_url="")


def _store(
    product_id: UUID,
    file: BinaryIO,
    wanted: Callable[[Product, StoredImage], tuple[Image, ...]],
    *,
    studio: Studio,
) -> None:
    """Announce the file, store it, and show it: three steps, any of which may be the last one.

    `wanted` is asked before the upload already, so that what is refused is not uploaded.
    """
    picture = studio.pictures.clean(file)
    public_id = f"products/{secrets.token_hex(16)}"
    with studio.unit_of_work() as uow:
        wanted(uow.products.get(product_id), _UNSTORED)
        uow.strays.note(public_id, remove_at=uow.now() + UPLOAD_LASTS_AT_MOST)
        uow.commit()
    stored = studio.store.upload(picture, public_id)
    with studio.unit_of_work() as uow:
        product = uow.products.get(product_id)
        _show(product, wanted(product, stored), uow)
        if not uow.strays.forget(public_id):
            raise UploadOverdue(public_id)
        uow.commit()


def _show(product: Product, images: tuple[Image, ...], uow: UnitOfWork) -> None:
    """What is no longer shown becomes a stray that is due at once."""
    shown = {image.public_id for image in images}
    now = uow.now()
    for image in product.images:
        if image.public_id not in shown:
            uow.strays.note(image.public_id, remove_at=now)
    uow.audit.note(
        "images_changed",
        product.id,
        before={"images": product.images},
        after={"images": images},
    )
    product.show(images, now=now)
    uow.products.save(product)


def _image(image_id: UUID, stored: StoredImage, alt: str, position: int) -> Image:
    return Image(
        id=image_id,
        public_id=stored.public_id,
        url=stored.url,
        thumbnail_url=stored.thumbnail_url,
        alt=alt,
        position=position,
    )
