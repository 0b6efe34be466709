from uuid import uuid4

import pytest

from catalog.domain.category import MOST_LEVELS, Category, CategoryCycle, TooDeep


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


def test_categories_have_at_most_ten_levels(chain):
    shelves = [a_category("0")]
    while len(shelves) < MOST_LEVELS:
        shelves.append(a_category(str(len(shelves)), shelves[-1]))
    tree = {each.id: each for each in (*shelves, *chain)}

    chain[0].move(shelves[-4], tree)
    for parent in (shelves[-3], shelves[-1]):
        with pytest.raises(TooDeep) as refusal:
            chain[0].move(parent, tree)

    assert "parent" in refusal.value.errors
    assert chain[0].parent_id == shelves[-4].id
