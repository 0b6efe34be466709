"""What a refusal looks like from outside."""

from notifier.domain.letter import BadAddress
from notifier.domain.template import BadTemplate
from notifier.use_cases.errors import (
    AlertNotFound,
    MailErased,
    MailNotFound,
    OrderNotKnown,
    StillOnItsWay,
    TemplateNotFound,
)
from oja_web.problems import Refusal

REFUSALS = {
    MailNotFound: Refusal(404, "not_found", "There is no such mail."),
    AlertNotFound: Refusal(404, "not_found", "There is no such alert."),
    TemplateNotFound: Refusal(404, "not_found", "There is no such template."),
    OrderNotKnown: Refusal(404, "not_found", "No mail was written about such an order."),
    BadTemplate: Refusal(422, "invalid", "This cannot become a mail; see errors."),
    BadAddress: Refusal(422, "invalid", "No mail can be sent to your address."),
    StillOnItsWay: Refusal(
        409, "still_on_its_way", "This mail is still being sent; wait for how that ends."
    ),
    MailErased: Refusal(
        409, "mail_erased", "Whom this mail was to has closed their account; nothing is left of it."
    ),
}
