"""What a refusal looks like from outside."""

from notifier.use_cases.errors import AlertNotFound, MailNotFound, StillOnItsWay
from oja_web.problems import Refusal

REFUSALS = {
    MailNotFound: Refusal(404, "not_found", "There is no such mail."),
    AlertNotFound: Refusal(404, "not_found", "There is no such alert."),
    StillOnItsWay: Refusal(
        409, "still_on_its_way", "This mail is still being sent; wait for how that ends."
    ),
}
