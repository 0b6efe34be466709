"""What a refusal looks like from outside."""

from oja_web.problems import Refusal
from payments.domain.order import OrderNotPayable, OrderNotReady
from payments.domain.refund import NotRefundable, RefundTooLarge, WrongCurrency
from payments.use_cases.errors import OrderNotFound, PaymentNotFound, ProviderUnavailable

# A stranger's order answers 404, not 403: its existence is not their business.
REFUSALS = {
    OrderNotFound: Refusal(404, "not_found", "There is no such order."),
    PaymentNotFound: Refusal(404, "not_found", "There is no such payment."),
    OrderNotReady: Refusal(409, "order_not_ready", headers={"Retry-After": "1"}),
    OrderNotPayable: Refusal(409, "order_not_payable"),
    NotRefundable: Refusal(409, "payment_not_refundable"),
    WrongCurrency: Refusal(422, "invalid"),
    RefundTooLarge: Refusal(409, "refund_exceeds_payment"),
    ProviderUnavailable: Refusal(
        503,
        "payment_provider_unavailable",
        "The payment provider does not answer. Try again shortly; you are not charged twice.",
        headers={"Retry-After": "5"},
    ),
}
