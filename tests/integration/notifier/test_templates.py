"""Templates in the words of staff, over HTTP and the real database, up to the mail that arrives."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from notifier.entrypoints.http.app import create_app
from oja_events.contracts.ordering import Tracking
from oja_web.testing import bearer, make_token, problem
from tests.integration.notifier.mail_server import MailServer
from tests.integration.notifier.notifying import KEYS, Notifier
from tests.support import notifier as news

EDITOR = bearer(
    make_token(
        KEYS.private_pem,
        email="sade@oja.example",
        name="Sade",
        permissions=["notifications:read", "templates:write"],
    )
)
SHIPPED = "/api/admin/email-templates/order_shipped"
DRAFT = {
    "subject": "Off it goes: {{ number }}",
    "text": "Dear {{ recipient_name }}, {{ number }} has left us.",
    "html": "<p>Dear {{ recipient_name }}, {{ tracking.carrier if tracking }} has it.</p>",
}


@pytest.fixture
def client(notifier: Notifier) -> FlaskClient:
    return create_app(notifier.deps.settings, notifier.deps).test_client()


def put(client: FlaskClient, draft: dict[str, str], etag: str | None = None) -> TestResponse:
    etag = etag or client.get(SHIPPED, headers=EDITOR).headers["ETag"]
    return client.put(SHIPPED, json=draft, headers={**EDITOR, "If-Match": etag})


def ask(client: FlaskClient, what: str, **body: Any) -> TestResponse:
    return client.post(f"{SHIPPED}/{what}", json=body, headers=EDITOR)


def test_a_template_is_shown_with_all_that_is_needed_to_edit_it(client: FlaskClient) -> None:
    answer = client.get(SHIPPED, headers=EDITOR)

    shown = answer.json
    assert answer.headers["ETag"] == f'"v{shown["version"]}"'
    assert shown["version"].startswith("shipped-")
    assert (shown["is_edited"], shown["edited_by"], shown["audience"]) == (False, None, "customer")
    assert {"number", "lines", "tracking", "recipient_name"} <= set(shown["variables"])
    assert "order_lines" in shown["text"]
    assert put(client, {part: shown[part] for part in DRAFT}).json["version"] == shown["version"]


def test_the_next_mail_is_in_the_words_of_staff_and_the_ledger_says_so(
    client: FlaskClient, notifier: Notifier, mail_server: MailServer
) -> None:
    before, after = news.order_shipped(), news.order_shipped()
    notifier.hears(before)
    changed = put(client, DRAFT)
    notifier.hears(after)

    with notifier.sending():
        (old,) = mail_server.waits_for(before.contact.email)
        (new,) = mail_server.waits_for(after.contact.email)

    assert (changed.status_code, changed.json["version"]) == (200, "edited-1")
    assert (changed.json["is_edited"], changed.json["edited_by"]) == (True, "sade@oja.example")
    assert old.message["Subject"] == "Your order OJ-100042 is on its way"
    assert new.message["Subject"] == "Off it goes: OJ-100042"
    assert new.message.get_body(("plain",)).get_content().startswith("Dear Ada Obi, OJ-100042")
    assert notifier.mail(after.contact.email).template_version == "edited-1"


def test_what_staff_wrote_is_taken_back_and_its_number_not_given_again(
    client: FlaskClient, notifier: Notifier
) -> None:
    shipped = client.get(SHIPPED, headers=EDITOR).json
    etag = put(client, DRAFT).headers["ETag"]

    returned = client.delete(SHIPPED, headers={**EDITOR, "If-Match": etag})
    again = put(client, DRAFT)

    assert returned.json == shipped
    assert again.json["version"] == "edited-3"
    (listed,) = [
        item
        for item in client.get("/api/admin/email-templates", headers=EDITOR).json["items"]
        if item["is_edited"]
    ]
    assert (listed["name"], listed["subject"]) == ("order_shipped", DRAFT["subject"])
    assert len(notifier.rows("SELECT FROM template_versions")) == 3


def test_an_edit_of_what_somebody_else_changed_meanwhile_is_refused(client: FlaskClient) -> None:
    etag = client.get(SHIPPED, headers=EDITOR).headers["ETag"]
    put(client, DRAFT)

    late = put(client, {**DRAFT, "subject": "Late"}, etag)
    blind = client.put(SHIPPED, json=DRAFT, headers=EDITOR)

    problem(late, 412, "precondition_failed")
    problem(blind, 428, "precondition_required")


def test_of_several_edits_at_once_one_wins(client: FlaskClient, notifier: Notifier) -> None:
    etag = client.get(SHIPPED, headers=EDITOR).headers["ETag"]
    drafts = [{**DRAFT, "subject": f"Draft {number}"} for number in range(4)]

    def edit(draft: dict[str, str]) -> int:
        own = create_app(notifier.deps.settings, notifier.deps).test_client()
        return put(own, draft, etag).status_code

    with ThreadPoolExecutor(4) as editors:
        answers = sorted(editors.map(edit, drafts))

    assert answers == [200, 412, 412, 412]


def test_what_cannot_become_a_mail_is_refused_with_its_line(
    client: FlaskClient, notifier: Notifier
) -> None:
    answer = put(client, {**DRAFT, "html": "<p>\n{{ nmber }}", "text": "{% if %}"})

    errors = problem(answer, 422, "invalid")["errors"]
    assert errors["html"] == ["line 2: unknown variable 'nmber'"]
    assert errors["text"][0].startswith("line 1: ")
    assert notifier.rows("SELECT FROM template_versions") == []


def test_a_draft_is_previewed_with_the_sample(client: FlaskClient) -> None:
    answer = ask(client, "preview", draft=DRAFT)

    assert answer.status_code == 200
    assert answer.json["subject"] == "Off it goes: OJ-100042"
    assert answer.json["html"] == "<p>Dear Sade, GIG Logistics has it.</p>"


def test_a_draft_is_previewed_with_a_real_order(client: FlaskClient, notifier: Notifier) -> None:
    tracking = Tracking(carrier="Kwik", number="7")
    shipped = news.order_shipped(number="OJ-7", tracking=tracking)
    placed = news.order_placed(number="OJ-8")
    notifier.hears(shipped)
    notifier.hears(placed)

    told = ask(client, "preview", draft=DRAFT, order_id=str(shipped.order_id)).json
    not_yet = ask(client, "preview", draft=DRAFT, order_id=str(placed.order_id)).json

    assert told["subject"] == "Off it goes: OJ-7"
    assert "Kwik has it" in told["html"]
    assert not_yet["subject"] == "Off it goes: OJ-8"
    assert "GIG Logistics has it" in not_yet["html"]


def test_an_order_without_mails_cannot_be_previewed(client: FlaskClient) -> None:
    problem(ask(client, "preview", order_id=str(uuid4())), 404, "not_found")


def test_an_unknown_template_is_not_found(client: FlaskClient) -> None:
    problem(client.get("/api/admin/email-templates/newsletter", headers=EDITOR), 404, "not_found")


def test_a_test_goes_to_whoever_asks_and_to_nobody_else(
    client: FlaskClient, notifier: Notifier, mail_server: MailServer
) -> None:
    order = news.order_shipped(number="OJ-7")
    notifier.hears(order)

    first = ask(client, "test", draft=DRAFT, order_id=str(order.order_id))
    second = ask(client, "test")
    with notifier.sending():
        one, two = mail_server.waits_for("sade@oja.example", 2)
        notifier.settles(order.contact.email, "sent")

    subjects = {one.message["Subject"], two.message["Subject"]}
    assert subjects == {"[Test] Off it goes: OJ-7", "[Test] Your order OJ-100042 is on its way"}
    assert (first.status_code, first.json["kind"]) == (202, "test")
    assert first.json["template_version"] == "draft"
    assert second.json["recipient"] == second.json["requested_by"] == "sade@oja.example"
    assert len(mail_server.copies(order.contact.email)) == 1


def test_an_edit_that_fails_on_a_real_order_costs_no_mail_and_calls_staff_once(
    client: FlaskClient, notifier: Notifier
) -> None:
    assert put(client, {**DRAFT, "html": "{{ lines[0].options.colour }}"}).status_code == 200
    bare = [news.order_shipped(lines=news.order_shipped().lines[1:]) for _ in range(2)]

    for order in bare:
        notifier.hears(order)

    assert notifier.mail(bare[0].contact.email).template_version.startswith("shipped-")
    (alert,) = notifier.rows("SELECT * FROM alerts")
    assert (alert.kind, alert.occasion) == ("template_unfit", "order_shipped edited-1")
    assert "line 1" in alert.detail
