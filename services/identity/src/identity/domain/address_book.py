"""A user's addresses. If there are any, exactly one of them is the default."""

from dataclasses import dataclass, field
from uuid import UUID

from identity.domain.values import PostalAddress

MAX_ADDRESSES = 50


class AddressNotFound(Exception):
    """The book has no such address."""


class AddressBookFull(Exception):
    """Nobody lives in that many places."""


@dataclass(slots=True)
class AddressBook:
    """`entries` are in the order in which they were added."""

    user_id: UUID
    entries: dict[UUID, PostalAddress] = field(default_factory=dict)
    default: UUID | None = None

    def add(self, address_id: UUID, address: PostalAddress, *, as_default: bool) -> None:
        """The first one becomes the default in any case."""
        if len(self.entries) >= MAX_ADDRESSES:
            raise AddressBookFull(f"at most {MAX_ADDRESSES} addresses")
        self.entries[address_id] = address
        self._choose(address_id, as_default)

    def change(self, address_id: UUID, address: PostalAddress, *, as_default: bool) -> None:
        """The default stays the default until another one is made it."""
        self.find(address_id)
        self.entries[address_id] = address
        self._choose(address_id, as_default)

    def remove(self, address_id: UUID) -> None:
        """Without the default, the oldest of the others takes its place."""
        self.find(address_id)
        del self.entries[address_id]
        if self.default == address_id:
            self.default = next(iter(self.entries), None)

    def find(self, address_id: UUID) -> PostalAddress:
        try:
            return self.entries[address_id]
        except KeyError:
            raise AddressNotFound(address_id) from None

    def _choose(self, address_id: UUID, wanted: bool) -> None:
        if wanted or self.default is None:
            self.default = address_id
