"""The mails' templates: as shipped, or in the words of staff."""

from dataclasses import asdict
from typing import Any

from flask import Response

from notifier.domain.letter import Recipient, Template
from notifier.domain.template import Source
from notifier.entrypoints.http.dependencies import deps
from notifier.entrypoints.http.schemas import (
    EmailTemplatePageSchema,
    ExampleSchema,
    NotificationSchema,
    TemplateSourceSchema,
    WholeEmailTemplateSchema,
    WordsSchema,
)
from notifier.use_cases import templates
from notifier.use_cases.errors import TemplateNotFound
from notifier.use_cases.queries import TemplateEntry
from oja_web.auth import caller, requires
from oja_web.blueprint import Blueprint
from oja_web.etag import changes_what_was_seen, if_match, set_etag
from oja_web.pagination import page
from oja_web.problems import Problem
from oja_web.strict_json import json_response

blp = Blueprint(
    "email-templates",
    __name__,
    url_prefix="/api/admin/email-templates",
    description="The words of the mails",
)


@blp.get("")
@requires("notifications:read")
@blp.response(200, EmailTemplatePageSchema)
def list_templates() -> Response:
    """Every template, by name, as it is used now"""
    return json_response(page([_summary(entry) for entry in deps().queries.templates()], None))


@blp.get("/<string:name>")
@requires("notifications:read")
@blp.response(200, WholeEmailTemplateSchema)
def show_template(name: str) -> Response:
    """A template with its source; send its ETag back when you change it"""
    return _tagged(_named(name))


@blp.put("/<string:name>")
@requires("templates:write")
@changes_what_was_seen
@blp.arguments(TemplateSourceSchema)
@blp.response(200, WholeEmailTemplateSchema)
def change_template(source: Source, name: str) -> Response:
    """Say it in other words, from the next mail on (If-Match)

    It is tried with every turn that its mail can take. What does not fit is refused with 422, and
    `errors` names the line: unknown variables, syntax, what the sandbox does not let in.
    """
    template = _named(name)
    templates.change_template(
        template,
        source,
        by=caller().email,
        precondition=if_match,
        drafting=deps().drafting,
        uow=deps().unit_of_work(),
    )
    return _tagged(template)


@blp.delete("/<string:name>")
@requires("templates:write")
@changes_what_was_seen
@blp.response(200, WholeEmailTemplateSchema)
def return_to_shipped(name: str) -> Response:
    """Return to the template as it is shipped (If-Match)

    The answer is that template. Mails that were written before stay as they are.
    """
    template = _named(name)
    templates.return_to_shipped(
        template, by=caller().email, precondition=if_match, uow=deps().unit_of_work()
    )
    return _tagged(template)


@blp.post("/<string:name>/preview")
@requires("templates:write")
@blp.arguments(ExampleSchema)
@blp.response(200, WordsSchema)
def preview_template(body: dict[str, Any], name: str) -> Response:
    """See the mail as it would be, of a draft or of the template in use

    With an `order_id`, about that order (which takes the permission `notifications:read` too):
    what its mails have not told yet is filled with the sample's.
    """
    words = templates.preview(_named(name), **_example(body))
    return json_response(asdict(words))


@blp.post("/<string:name>/test")
@requires("templates:write")
@blp.arguments(ExampleSchema)
@blp.response(202, NotificationSchema)
def test_template(body: dict[str, Any], name: str) -> Response:
    """Send what the preview shows to your own address

    The answer is the mail in the ledger, where you can follow it.
    """
    mail_id = templates.send_test(_named(name), **_example(body), uow=deps().unit_of_work())
    return json_response(asdict(deps().queries.mail(mail_id)), 202)


def _example(body: dict[str, Any]) -> dict[str, Any]:
    if body["order_id"] and not caller().may("notifications:read"):
        raise Problem(403, "forbidden", "Mails about real orders take notifications:read.")
    to = Recipient(caller().email, caller().name, caller().user_id)
    return {**body, "to": to, "drafting": deps().drafting, "queries": deps().queries}


def _named(name: str) -> Template:
    try:
        return Template(name)
    except ValueError:
        raise TemplateNotFound(name) from None


def _tagged(template: Template) -> Response:
    entry = deps().queries.template(template)
    source = asdict(entry.edition.source)
    shown = {**_summary(entry), **source, "variables": deps().drafting.variables(template)}
    return set_etag(json_response(shown), entry.edition.version)


def _summary(entry: TemplateEntry) -> dict[str, Any]:
    edition = entry.edition
    return {
        "name": entry.name,
        "audience": entry.audience,
        "version": edition.version,
        "subject": edition.source.subject,
        "is_edited": edition.edited_by is not None,
        "edited_at": edition.edited_at,
        "edited_by": edition.edited_by,
    }
