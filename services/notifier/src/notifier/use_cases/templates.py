"""What staff do with the words of mails. Nothing that is not a mail in every case is kept."""

from collections.abc import Callable
from uuid import UUID

from notifier.domain.letter import Letter, Recipient, Template
from notifier.domain.template import Edition, Source, Words
from notifier.use_cases.ports import Drafting, UnitOfWork
from notifier.use_cases.queries import Queries

Precondition = Callable[[int | str], None]
"""Called with the version that is about to be replaced; raises to refuse."""


def change_template(
    template: Template,
    source: Source,
    *,
    by: str,
    precondition: Precondition,
    drafting: Drafting,
    uow: UnitOfWork,
) -> None:
    """From now on mails of this kind are written so; raises BadTemplate. Said again: no change."""
    drafting.check(template, source)
    with uow:
        present = uow.templates.lock(template)
        precondition(present.version)
        uow.templates.put(template, source, by=by)
        uow.audit.note("template_changed", template, before=present.source, after=source)
        uow.commit()


def return_to_shipped(
    template: Template, *, by: str, precondition: Precondition, uow: UnitOfWork
) -> None:
    """Forget the words of staff; earlier versions stay on record."""
    with uow:
        present = uow.templates.lock(template)
        precondition(present.version)
        uow.templates.withdraw(template, by=by)
        if present.edited_by is not None:
            uow.audit.note("template_withdrawn", template, before=present.source)
        uow.commit()


def preview(
    template: Template,
    *,
    to: Recipient,
    draft: Source | None,
    order_id: UUID | None,
    drafting: Drafting,
    queries: Queries,
) -> Words:
    """The mail as it would be: of the draft or what is in use, about the order or the sample.

    Raises BadTemplate, OrderNotKnown.
    """
    letter = _example(template, to, order_id, drafting, queries)
    return drafting.word(letter, _edition(template, draft, queries))


def send_test(
    template: Template,
    *,
    to: Recipient,
    draft: Source | None,
    order_id: UUID | None,
    drafting: Drafting,
    queries: Queries,
    uow: UnitOfWork,
) -> UUID:
    """Send what `preview` shows to whoever asks; returns the mail's id."""
    letter = _example(template, to, order_id, drafting, queries)
    words = drafting.word(letter, _edition(template, draft, queries))
    with uow:
        mail_id = uow.mails.write_test(letter, words)
        uow.audit.note("test_mail_sent", template, after={"mail": mail_id})
        uow.commit()
    return mail_id


def _example(
    template: Template,
    to: Recipient,
    order_id: UUID | None,
    drafting: Drafting,
    queries: Queries,
) -> Letter:
    """Where the order has had no such mail yet, the sample fills what its others leave open."""
    facts = dict(drafting.sample(template))
    kept = queries.facts_of_order(order_id, template) if order_id else {}
    facts |= {name: value for name, value in kept.items() if name in facts}
    return Letter(template=template, to=to, occasion="example", facts=facts, order_id=order_id)


def _edition(template: Template, draft: Source | None, queries: Queries) -> Edition:
    if draft is None:
        return queries.template(template).edition
    return Edition(version="draft", source=draft, edited_by="draft")
