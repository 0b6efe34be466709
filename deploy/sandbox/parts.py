"""The objects of one running sandbox, and how views reach them."""

import threading
from dataclasses import dataclass

from flask import current_app

from sandbox.books import Books
from sandbox.cloudinary.assets import Assets
from sandbox.deliveries import Deliveries
from sandbox.mail.mailbox import Mailbox
from sandbox.paystack.refunds import Refunds
from sandbox.paystack.transactions import Transactions
from sandbox.paystack.webhooks import Webhooks
from sandbox.settings import Settings
from sandbox.switches import Switches


@dataclass(frozen=True, slots=True)
class Parts:
    settings: Settings
    books: Books
    switches: Switches
    deliveries: Deliveries
    webhooks: Webhooks
    transactions: Transactions
    refunds: Refunds
    mailbox: Mailbox
    assets: Assets
    stopping: threading.Event

    def start(self) -> None:
        self.deliveries.start()
        self.refunds.start()

    def stop(self) -> None:
        self.stopping.set()
        self.refunds.stop()
        self.deliveries.stop()
        self.books.close()


def build(settings: Settings) -> Parts:
    books = Books(settings.state_dir)
    switches = Switches(books)
    deliveries = Deliveries(books, settings.webhook_timeout, settings.retry_factor)
    webhooks = Webhooks(deliveries, switches, settings.webhook_url, settings.paystack_secret)
    transactions = Transactions(books, webhooks, switches)
    return Parts(
        settings=settings,
        books=books,
        switches=switches,
        deliveries=deliveries,
        webhooks=webhooks,
        transactions=transactions,
        refunds=Refunds(books, transactions, webhooks, settings.refund_step),
        mailbox=Mailbox(books),
        assets=Assets(books, settings.cloudinary, f"{settings.public_url}/cloudinary-delivery"),
        stopping=threading.Event(),
    )


def parts() -> Parts:
    """The parts of the app that handles this request."""
    found: Parts = current_app.extensions["sandbox"]
    return found
