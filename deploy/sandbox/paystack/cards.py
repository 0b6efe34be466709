"""The test cards that Paystack publishes, and what becomes of a payment or refund with each."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Card:
    """`decline` is the gateway's answer if the card never pays; `refund` how refunds to it end."""

    number: str
    cvv: str
    brand: str
    title: str
    decline: str | None = None
    pin: str | None = None
    refund: str = "processed"


_CARDS = (
    Card("4084084084084081", "408", "visa", "pays"),
    Card("507850785078507812", "081", "verve", "pays, PIN 1111", pin="1111"),
    Card("5060666666666666666", "123", "verve", "pays, PIN 1234", pin="1234"),
    Card("507850785078507804", "884", "verve", "pays, PIN 0000", pin="0000"),
    Card("5192602720584796", "123", "mastercard", "pays, bank authentication"),
    Card("4084080000005408", "001", "visa", "is declined", decline="Declined"),
    Card(
        "507850785078507853",
        "082",
        "verve",
        "token not generated, PIN 0000",
        decline="Token not generated",
        pin="0000",
    ),
    Card(
        "4084080000670037",
        "787",
        "visa",
        "has insufficient funds",
        decline="Insufficient Funds",
    ),
    Card("4084080000671803", "180", "visa", "pays, its refund fails", refund="failed"),
    Card(
        "4084080000671902",
        "190",
        "visa",
        "pays, its refund needs attention",
        refund="needs-attention",
    ),
)
CARDS = {card.number: card for card in _CARDS}
PAYING = _CARDS[0]
DECLINED = _CARDS[5]
UNKNOWN_CARD = "Transaction declined. Please use the test card."


def find_card(number: str) -> Card | None:
    """The published card with this number, however it is spaced."""
    return CARDS.get("".join(number.split()))
