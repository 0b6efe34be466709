"""Categories: the shelves of the shop, one inside the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID


class CategoryCycle(Exception):
    """A category would end up inside itself."""

    def __init__(self) -> None:
        super().__init__("a category cannot be inside itself")
        self.errors = {"parent": ["is the category itself, or inside of it"]}


MOST_LEVELS = 10


class TooDeep(Exception):
    """A category would end up below more than MOST_LEVELS - 1 others."""

    def __init__(self) -> None:
        super().__init__(f"categories have at most {MOST_LEVELS} levels")
        self.errors = {"parent": [f"is too deep: there are at most {MOST_LEVELS} levels"]}


@dataclass(slots=True, kw_only=True)
class Category:
    """`position` orders the categories of one parent."""

    id: UUID
    slug: str
    name: str
    parent_id: UUID | None = None
    position: int = 0
    version: int = 1

    def move(self, parent: "Category | None", tree: Mapping[UUID, "Category"]) -> None:
        """Put it below `parent` (None: on top), with all that is inside; raises CategoryCycle,
        TooDeep."""
        levels = _levels(self.id, tree)
        above = parent
        while above is not None:
            if above.id == self.id:
                raise CategoryCycle
            levels += 1
            above = tree[above.parent_id] if above.parent_id else None
        if parent and levels > MOST_LEVELS:
            raise TooDeep
        self.parent_id = parent.id if parent else None


def _levels(category_id: UUID, tree: Mapping[UUID, Category]) -> int:
    """How many there are from this category down to the deepest one inside."""
    levels, inside = 0, {category_id}
    while inside:
        levels += 1
        inside = {each.id for each in tree.values() if each.parent_id in inside}
    return levels
