"""Categories: the shelves of the shop, one inside the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID


class CategoryCycle(Exception):
    """A category would end up inside itself."""

    def __init__(self) -> None:
        super().__init__("a category cannot be inside itself")
        self.errors = {"parent": ["is the category itself, or inside of it"]}


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
        """Put it below `parent` (None: on top), with all that is inside; raises CategoryCycle."""
        above = parent
        while above is not None:
            if above.id == self.id:
                raise CategoryCycle
            above = tree[above.parent_id] if above.parent_id else None
        self.parent_id = parent.id if parent else None
