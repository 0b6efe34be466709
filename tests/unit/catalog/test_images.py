"""The row of pictures, and what becomes of files when something goes wrong in between."""

import io
from uuid import uuid4

import pytest

from catalog.domain.images import MOST_IMAGES, ImageNotFound, TooManyImages
from catalog.use_cases import images
from catalog.use_cases.errors import ImageStoreUnavailable, ProductNotFound, UploadOverdue
from catalog.use_cases.images import ImageDraft, Studio
from catalog.use_cases.ports import Picture, StoredImage
from oja_events.contracts.catalog import ProductChanged
from tests.unit.catalog.builders import offer
from tests.unit.catalog.fakes import FakeShop

NO_FILE = io.BytesIO(b"")


class FakePictures:
    def clean(self, file):
        return Picture(b"clean", "jpg")


class FakeStore:
    """Remembers what it holds; `broken` comes before the work, `lost` after it."""

    def __init__(self):
        self.held = {}
        self.broken = self.lost = False
        self.stuck = set()
        self.meanwhile = lambda: None

    def upload(self, picture, public_id):
        if self.broken:
            raise ImageStoreUnavailable
        self.held[public_id] = picture.content
        self.meanwhile()
        if self.lost:
            raise ImageStoreUnavailable
        return StoredImage(public_id, f"https://cdn/{public_id}", f"https://cdn/t/{public_id}")

    def remove(self, public_id):
        if self.broken or public_id in self.stuck:
            raise ImageStoreUnavailable
        self.held.pop(public_id, None)


@pytest.fixture
def shop():
    return FakeShop()


@pytest.fixture
def store():
    return FakeStore()


@pytest.fixture
def studio(shop, store):
    return Studio(FakePictures(), store, shop.uow)


@pytest.fixture
def product_id(shop):
    return offer(shop.uow())


def shown(shop, product_id):
    return [image.alt for image in shop.state.products[product_id].images]


def anything(_version):
    """Whoever asks has seen the right version."""


def add(studio, product_id, alt, position=None):
    return images.add_image(product_id, NO_FILE, ImageDraft(alt, position), studio=studio)


def test_a_picture_goes_to_the_end_or_where_staff_put_it(shop, studio, product_id):
    for alt, position in (("a", None), ("b", None), ("c", 0), ("d", 1), ("e", 99)):
        add(studio, product_id, alt, position)

    assert shown(shop, product_id) == ["c", "d", "a", "b", "e"]
    assert [image.position for image in shop.state.products[product_id].images] == [0, 1, 2, 3, 4]


def test_every_change_of_pictures_is_told_with_the_first_one(shop, studio, product_id):
    first = add(studio, product_id, "first")
    second = add(studio, product_id, "second")
    url = {each.id: each.url for each in shop.state.products[product_id].images}

    draft = ImageDraft(position=0)
    images.change_image(product_id, second, draft, file=None, precondition=anything, studio=studio)

    told = [event.image_url for event in shop.told() if isinstance(event, ProductChanged)]
    assert told == [None, url[first], url[first], url[second]]


def test_a_change_that_changes_nothing_is_not_told(shop, studio, product_id):
    image_id = add(studio, product_id, "same")
    before = len(shop.told())

    images.change_image(
        product_id, image_id, ImageDraft("same", 0), file=None, precondition=anything, studio=studio
    )

    assert len(shop.told()) == before


def test_a_removed_picture_is_removed_at_the_store_afterwards(shop, studio, store, product_id):
    image_id = add(studio, product_id, "x")

    images.remove_image(product_id, image_id, precondition=anything, uow=shop.uow())
    assert len(store.held) == 1

    assert images.remove_strays(store=store, unit_of_work=shop.uow) == 1
    assert store.held == {}
    assert shop.state.strays == {}


def test_a_replaced_picture_keeps_its_id_and_loses_its_file(shop, studio, store, product_id):
    image_id = add(studio, product_id, "x")
    [old] = store.held

    images.change_image(
        product_id, image_id, ImageDraft(), file=NO_FILE, precondition=anything, studio=studio
    )
    images.remove_strays(store=store, unit_of_work=shop.uow)

    [image] = shop.state.products[product_id].images
    assert (image.id, image.alt) == (image_id, "x")
    assert list(store.held) == [image.public_id] != [old]


def test_a_store_that_is_down_leaves_nothing_behind(shop, studio, store, product_id):
    store.broken = True

    with pytest.raises(ImageStoreUnavailable):
        add(studio, product_id, "x")

    assert shown(shop, product_id) == []


def test_a_file_whose_answer_was_lost_is_swept_up_later(shop, studio, store, product_id):
    store.lost = True
    with pytest.raises(ImageStoreUnavailable):
        add(studio, product_id, "x")
    assert images.remove_strays(store=store, unit_of_work=shop.uow) == 0
    assert len(store.held) == 1

    shop.pass_time(hours=2)

    assert images.remove_strays(store=store, unit_of_work=shop.uow) == 1
    assert store.held == {}


def test_a_file_that_was_given_up_meanwhile_is_not_shown(shop, studio, store, product_id):
    def sweep():
        shop.pass_time(hours=2)
        images.remove_strays(store=store, unit_of_work=shop.uow)

    store.meanwhile = sweep

    with pytest.raises(UploadOverdue):
        add(studio, product_id, "x")

    assert shown(shop, product_id) == []


def test_what_cannot_be_removed_now_comes_up_again(shop, studio, store, product_id):
    image_id = add(studio, product_id, "x")
    images.remove_image(product_id, image_id, precondition=anything, uow=shop.uow())
    store.broken = True
    with pytest.raises(ImageStoreUnavailable):
        images.remove_strays(store=store, unit_of_work=shop.uow)
    store.broken = False

    shop.pass_time(hours=1)

    assert images.remove_strays(store=store, unit_of_work=shop.uow) == 1
    assert store.held == {}


def test_a_file_that_cannot_be_removed_holds_up_no_other(shop, studio, store, product_id):
    ids = [add(studio, product_id, alt) for alt in "abc"]
    store.stuck = {next(iter(store.held))}
    for each in ids:
        images.remove_image(product_id, each, precondition=anything, uow=shop.uow())

    assert images.remove_strays(store=store, unit_of_work=shop.uow) == 2
    assert {*store.held} == {*shop.state.strays} == store.stuck


def test_what_is_refused_is_not_uploaded(shop, studio, store, product_id):
    for _ in range(MOST_IMAGES):
        add(studio, product_id, "x")

    with pytest.raises(TooManyImages):
        add(studio, product_id, "one more")
    with pytest.raises(ProductNotFound):
        add(studio, uuid4(), "x")
    with pytest.raises(ImageNotFound):
        images.change_image(
            product_id, uuid4(), ImageDraft(), file=NO_FILE, precondition=anything, studio=studio
        )

    assert len(store.held) == MOST_IMAGES
