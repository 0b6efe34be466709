"""Why a command may be refused, and what a mail server may answer."""


class MailNotFound(Exception):
    """There is no such mail in the ledger."""


class AlertNotFound(Exception):
    """There is no such alert."""


class TemplateNotFound(Exception):
    """No mail has a template of this name."""


class OrderNotKnown(Exception):
    """No mail was written about this order."""


class StillOnItsWay(Exception):
    """The mail is not settled yet: it will be sent without anybody's help."""


class MailErased(Exception):
    """Whom the mail was to has closed their account: there is nothing left to send."""


class ClaimLost(Exception):
    """Somebody else works on this mail now; whatever we know of it is out of date."""


class ShiftEnded(Exception):
    """The sender's session is gone, and with it all its claims."""


class TooEarly(Exception):
    """This news is ahead of news that we have not heard yet; deliver it again later."""


class TooFast(Exception):
    """The next mail may not leave before `seconds` are over."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:.3f} s too early")
        self.seconds = seconds


class DeliveryProblem(Exception):
    """The mail was not accepted, as far as we know. The message is for the ledger."""


class ServerAway(DeliveryProblem):
    """There is no server to talk to, or it does not let us in: not the fault of any mail."""


class Deferred(DeliveryProblem):
    """The server does not want this mail now."""


class Refused(DeliveryProblem):
    """The server will never take this mail."""


class NotWantedAnyMore(DeliveryProblem):
    """What the mail is about is over; nobody waits for it."""


class Unclear(DeliveryProblem):
    """The mail was handed over and the answer got lost: it may be on its way, or not."""
