"""Why a use case may be refused, beyond the rules of the domain.

ProviderError
├── ProviderUnavailable   not done; later perhaps
│   └── ProviderUnclear   asked, but the answer got lost: it may or may not be done
└── ProviderRefused       an answer: no
    └── DuplicateReference
"""


class OrderNotFound(Exception):
    """There is no such order, or it is somebody else's: the caller is not to learn which."""


class PaymentNotFound(Exception):
    """There is no payment with this reference, or it is somebody else's."""


class ProviderError(Exception):
    """Paystack did not do what it was asked for."""


class ProviderUnavailable(ProviderError):
    """Paystack cannot be asked right now."""


class ProviderUnclear(ProviderUnavailable):
    """The answer got lost. Ask what became of it before asking for the same thing again."""


class ProviderRefused(ProviderError):
    """Paystack understood and refuses; `code` is its own word for why, empty if it gave none."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class DuplicateReference(ProviderRefused):
    """Paystack has this reference already."""
