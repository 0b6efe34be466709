"""Why a command may be refused, beyond the rules of the domain."""

from uuid import UUID


class OrderNotFound(Exception):
    """There is no such order, or it is somebody else's: the caller is not to learn which."""


class UnknownSku(Exception):
    """Nothing with this SKU is for sale."""

    def __init__(self, sku: str) -> None:
        super().__init__(f"Nothing with the SKU {sku} is for sale.")
        self.errors = {"sku": ["Not for sale."]}


class UnknownAddress(Exception):
    """The customer keeps no such address, or we have not heard of it yet."""

    def __init__(self, address_id: UUID) -> None:
        super().__init__(f"There is no address {address_id} in your account.")
        self.errors = {
            "address_id": ["No such address; one saved a moment ago may take a second to be known."]
        }


class PriceChanged(Exception):
    """The total is not the one that the customer agreed to."""


class NotCancellable(Exception):
    """The order has gone too far to be cancelled."""
