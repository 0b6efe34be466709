from catalog.use_cases import commands, indexing
from tests.unit.catalog.builders import offer
from tests.unit.catalog.fakes import FakeShop


def test_the_products_of_a_renamed_category_are_indexed_batch_by_batch(monkeypatch):
    monkeypatch.setattr(indexing, "PRODUCTS_AT_ONCE", 2)
    shop = FakeShop()
    category_id = commands.create_category({"name": "Drinks"}, uow=shop.uow())
    for _ in range(3):
        offer(shop.uow(), category="drinks")

    commands.change_category(
        category_id, {"name": "Zobo"}, precondition=lambda _: None, uow=shop.uow()
    )
    indexed = [shop.state.renamed.get(category_id)]
    while indexing.index_renamed(shop.uow):
        indexed.append(shop.state.renamed.get(category_id))

    assert indexed == [0, 2, None]


def test_a_category_that_only_moves_is_not_indexed():
    shop = FakeShop()
    commands.create_category({"name": "Outer"}, uow=shop.uow())
    inner = commands.create_category({"name": "Inner"}, uow=shop.uow())

    commands.change_category(
        inner, {"parent": "outer"}, precondition=lambda _: None, uow=shop.uow()
    )

    assert not indexing.index_renamed(shop.uow)
