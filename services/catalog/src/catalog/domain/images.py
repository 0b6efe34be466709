"""The pictures of a product: an ordered row, of which the first one stands for the product."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from catalog.domain.values import Image

MOST_IMAGES = 20


class TooManyImages(Exception):
    """The product has as many images as one may have."""

    def __init__(self) -> None:
        super().__init__(f"a product has at most {MOST_IMAGES} images")
        self.errors = {"file": [f"the product has {MOST_IMAGES} images already"]}


class ImageNotFound(Exception):
    """The product has no such image."""


def placed(images: Sequence[Image], image: Image) -> tuple[Image, ...]:
    """The row with this image at its position (or at the end), in the place of the one that had
    its id; raises TooManyImages."""
    others = [each for each in images if each.id != image.id]
    if len(others) >= MOST_IMAGES:
        raise TooManyImages
    others.insert(image.position, image)
    return _numbered(others)


def without(images: Sequence[Image], image_id: UUID) -> tuple[Image, ...]:
    """The row when this one is gone."""
    return _numbered([each for each in images if each.id != image_id])


def find(images: Sequence[Image], image_id: UUID) -> Image:
    """Raises ImageNotFound."""
    for image in images:
        if image.id == image_id:
            return image
    raise ImageNotFound(image_id)


def _numbered(images: Sequence[Image]) -> tuple[Image, ...]:
    return tuple(replace(image, position=n) for n, image in enumerate(images))
