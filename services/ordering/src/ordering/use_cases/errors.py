"""Why a command may be refused, beyond the rules of the domain."""


class OrderNotFound(Exception):
    """There is no such order, or it is somebody else's: the caller is not to learn which."""


class UnknownSku(Exception):
    """Nothing with this SKU is for sale."""

    def __init__(self, sku: str) -> None:
        super().__init__(f"Nothing with the SKU {sku} is for sale.")
        self.errors = {"sku": ["Not for sale."]}


class PriceChanged(Exception):
    """The total is not the one that the customer agreed to."""


class NotCancellable(Exception):
    """The order has gone too far to be cancelled."""
