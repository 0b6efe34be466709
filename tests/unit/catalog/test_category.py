from uuid import uuid4

import pytest

from catalog.domain.category import Category, CategoryCycle


def a_category(name, parent=None):
    return Category(id=uuid4(), slug=name, name=name, parent_id=parent.id if parent else None)


@pytest.fixture
def chain():
    """fabrics > cotton > prints"""
    fabrics = a_category("fabrics")
    cotton = a_category("cotton", fabrics)
    return fabrics, cotton, a_category("prints", cotton)


def test_a_category_moves_with_all_that_is_inside(chain):
    _, cotton, prints = chain
    home = a_category("home")

    cotton.move(home, {each.id: each for each in (*chain, home)})

    assert (cotton.parent_id, prints.parent_id) == (home.id, cotton.id)


def test_a_category_moves_to_the_top(chain):
    _, cotton, _ = chain

    cotton.move(None, {each.id: each for each in chain})

    assert cotton.parent_id is None


@pytest.mark.parametrize("below", [0, 1, 2])
def test_a_category_cannot_move_into_itself(chain, below):
    with pytest.raises(CategoryCycle) as refusal:
        chain[0].move(chain[below], {each.id: each for each in chain})

    assert "parent" in refusal.value.errors
