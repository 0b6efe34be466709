from uuid import uuid4

import pytest

from catalog.domain.product import InvalidProduct, ProductStatus
from catalog.use_cases import commands
from catalog.use_cases.errors import (
    CategoryNotFound,
    ProductNotFound,
    SkuNotFound,
    SkuTaken,
    UnknownCategory,
)
from oja_events.contracts.catalog import ProductArchived, ProductChanged
from tests.unit.catalog.builders import a_draft, a_sku, a_variant, offer
from tests.unit.catalog.fakes import FakeShop
from tests.unit.catalog.stock_contract import change


class Stale(Exception):
    """What a precondition of the tests raises."""


def refuse(version):
    raise Stale(version)


@pytest.fixture
def shop():
    return FakeShop()


def told_versions(shop):
    return [(type(event), event.version) for event in shop.told()]


def test_a_new_product_is_told_with_its_first_stock(shop):
    sku = a_sku()

    product_id = offer(shop.uow(), a_variant(sku, stock=12), status=ProductStatus.DRAFT)

    [told] = shop.told()
    assert (told.product_id, told.version, told.status) == (product_id, 1, "draft")
    assert (told.variants[0].sku, told.variants[0].available) == (sku, 12)
    assert shop.movements(sku) == [("initial", 12)]


def test_products_of_one_name_have_different_slugs(shop):
    for _ in range(3):
        offer(shop.uow())

    assert [told.slug for told in shop.told()] == [
        "ankara-print",
        "ankara-print-2",
        "ankara-print-3",
    ]


def test_a_slug_stays_when_the_name_changes(shop):
    product_id = offer(shop.uow())

    change(shop, product_id, name="Wax print")

    assert [(told.name, told.slug) for told in shop.told()] == [
        ("Ankara print", "ankara-print"),
        ("Wax print", "ankara-print"),
    ]


def test_every_change_is_told_with_a_higher_version(shop):
    product_id = offer(shop.uow())

    change(shop, product_id, featured=True)
    change(shop, product_id, tags=("cotton",))

    assert told_versions(shop) == [(ProductChanged, 1), (ProductChanged, 2), (ProductChanged, 3)]


def test_a_change_that_changes_nothing_is_not_told(shop):
    product_id = offer(shop.uow())

    change(shop, product_id, name="Ankara print")

    assert told_versions(shop) == [(ProductChanged, 1)]


def test_archiving_is_told_once(shop):
    product_id = offer(shop.uow())

    for _ in range(2):
        commands.archive_product(product_id, precondition=lambda _: None, uow=shop.uow())

    assert told_versions(shop) == [(ProductChanged, 1), (ProductArchived, 2)]


def test_who_has_seen_another_version_changes_nothing(shop):
    product_id = offer(shop.uow())

    with pytest.raises(Stale):
        commands.change_product(
            product_id, {"name": "Lost"}, by="", currency="NGN", precondition=refuse, uow=shop.uow()
        )
    with pytest.raises(Stale):
        commands.archive_product(product_id, precondition=refuse, uow=shop.uow())

    assert told_versions(shop) == [(ProductChanged, 1)]


@pytest.mark.parametrize(
    ("variants", "fields"),
    [
        ([a_variant(currency="USD")], {"variants.0.price.currency"}),
        (
            [a_variant("A", size="M"), a_variant("A", size="L")],
            {"variants.0.sku", "variants.1.sku"},
        ),
        ([a_variant("A", size="M"), a_variant("B")], {"variants.1.options"}),
        (
            [a_variant("A", size="M"), a_variant("B", size="M")],
            {"variants.0.options", "variants.1.options"},
        ),
    ],
)
def test_a_product_that_cannot_be_sold_is_refused_with_the_fields(shop, variants, fields):
    with pytest.raises(InvalidProduct) as refusal:
        offer(shop.uow(), *variants)

    assert set(refusal.value.errors) == fields
    assert not shop.told()


def test_a_sku_belongs_to_one_product(shop):
    first = a_variant(size="M")
    offer(shop.uow(), first)

    with pytest.raises(SkuTaken) as refusal:
        offer(shop.uow(), a_variant(size="L"), first)

    assert list(refusal.value.errors) == ["variants.1.sku"]


def test_first_stock_counts_only_once_for_a_sku(shop):
    variant = a_variant(stock=5)
    product_id = offer(shop.uow(), variant)

    change(shop, product_id, variants=(a_variant(variant.variant.sku, stock=500, amount=9),))

    assert shop.level(variant.variant.sku) == (5, 0)
    assert shop.told()[-1].variants[0].available == 5


def test_an_unknown_category_is_refused(shop):
    with pytest.raises(UnknownCategory) as refusal:
        offer(shop.uow(), category="nowhere")

    assert list(refusal.value.errors) == ["category"]


def test_a_product_names_its_category_by_slug(shop):
    commands.create_category({"name": "Àdìrẹ"}, uow=shop.uow())

    offer(shop.uow(), category="adire")

    assert shop.told()[-1].category == "adire"


def test_a_category_may_not_end_up_inside_itself(shop):
    outer = commands.create_category({"name": "Outer"}, uow=shop.uow())
    commands.create_category({"name": "Inner", "parent": "outer"}, uow=shop.uow())

    with pytest.raises(Exception, match="inside itself"):
        commands.change_category(
            outer, {"parent": "inner"}, precondition=lambda _: None, uow=shop.uow()
        )

    assert shop.state.categories[outer].parent_id is None


def test_a_category_keeps_its_slug_when_it_is_renamed(shop):
    category_id = commands.create_category({"name": "Drinks"}, uow=shop.uow())

    commands.change_category(
        category_id, {"name": "Zobo"}, precondition=lambda _: None, uow=shop.uow()
    )

    category = shop.state.categories[category_id]
    assert (category.name, category.slug, category.version) == ("Zobo", "drinks", 2)


def test_a_threshold_alone_is_no_news(shop):
    variant = a_variant(stock=5, threshold=2)
    offer(shop.uow(), variant)

    commands.set_threshold(variant.variant.sku, 10, precondition=lambda _: None, uow=shop.uow())

    assert told_versions(shop) == [(ProductChanged, 1)]


def test_what_does_not_exist_is_not_found(shop):
    with pytest.raises(ProductNotFound):
        change(shop, uuid4(), name="x")
    with pytest.raises(CategoryNotFound):
        commands.change_category(uuid4(), {}, precondition=lambda _: None, uow=shop.uow())
    with pytest.raises(SkuNotFound):
        commands.adjust_stock("?", 1, "restock", note=None, by="", uow=shop.uow())


def test_a_draft_needs_no_more_than_name_and_variants(shop):
    draft = a_draft()
    del draft["status"]

    commands.create_product(draft, by="staff", currency="NGN", uow=shop.uow())

    assert shop.told()[0].status == "draft"
