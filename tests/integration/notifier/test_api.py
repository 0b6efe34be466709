"""What staff see and do, over HTTP and the real database."""

from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from notifier.entrypoints.http.app import create_app
from oja_web.testing import bearer, make_token, problem
from tests.integration.notifier.mail_server import MailServer
from tests.integration.notifier.notifying import KEYS, Notifier
from tests.support import notifier as news

STAFF_MEMBER = bearer(
    make_token(
        KEYS.private_pem,
        email="sade@oja.example",
        permissions=["notifications:read", "notifications:write", "alerts:read"],
    )
)
MAILS = "/api/admin/notifications"
ALERTS = "/api/admin/alerts"


@pytest.fixture
def client(notifier: Notifier) -> FlaskClient:
    return create_app(notifier.deps.settings, notifier.deps).test_client()


def found(client: FlaskClient, path: str, **query: Any) -> list[Any]:
    answer = client.get(path, query_string=query, headers=STAFF_MEMBER)
    assert answer.status_code == 200, answer.text
    items: list[Any] = answer.json["items"]
    return items


def test_a_mail_is_listed_with_where_it_comes_from_and_how_it_stands(
    client: FlaskClient, notifier: Notifier
) -> None:
    event = news.order_shipped()
    event_id = notifier.hears(event)

    (mail,) = found(client, MAILS)

    assert mail["event_id"] == str(event_id)
    assert mail["order_id"] == str(event.order_id)
    assert mail["template"] == "order_shipped"
    assert mail["template_version"].startswith("shipped-")
    assert mail["recipient"] == event.contact.email
    assert (mail["status"], mail["attempts"], mail["kind"]) == ("pending", 0, "event")
    assert mail["created_at"].endswith("Z")


def test_mails_are_found_by_recipient_template_status_and_order(
    client: FlaskClient, notifier: Notifier
) -> None:
    shipped, completed = news.order_shipped(), news.order_completed()
    notifier.hears(shipped)
    notifier.hears(completed)
    notifier.rows(
        "UPDATE mails SET status = 'sent', next_attempt_at = NULL WHERE order_id = :id",
        id=completed.order_id,
    )
    searches = [
        {"recipient": shipped.contact.email.upper()},
        {"template": "order_shipped"},
        {"status": "pending"},
        {"order_id": str(shipped.order_id)},
    ]

    answers = [found(client, MAILS, **search) for search in searches]

    assert [[mail["order_id"] for mail in answer] for answer in answers] == [
        [str(shipped.order_id)]
    ] * len(searches)


def test_pages_follow_each_other_newest_first(client: FlaskClient, notifier: Notifier) -> None:
    orders = [news.order_shipped() for _ in range(5)]
    for order in orders:
        notifier.hears(order)

    seen, cursor = [], None
    while True:
        query = {"size": 2, "total": "true"} | ({"cursor": cursor} if cursor else {})
        page = client.get(MAILS, query_string=query, headers=STAFF_MEMBER).json
        seen += [mail["order_id"] for mail in page["items"]]
        cursor = page["next"]
        assert page["total"] == 5
        if cursor is None:
            break

    assert seen == [str(order.order_id) for order in reversed(orders)]


def test_a_mail_is_sent_again_in_the_same_words_under_a_new_name(
    client: FlaskClient, notifier: Notifier, mail_server: MailServer
) -> None:
    event = news.order_shipped()
    notifier.hears(event)
    with notifier.sending():
        original = notifier.settles(event.contact.email, "sent")

        answer = client.post(f"{MAILS}/{original.id}/resend", headers=STAFF_MEMBER)
        first, second = mail_server.waits_for(event.contact.email, 2)

    assert answer.status_code == 201
    assert (answer.json["kind"], answer.json["resend_of"]) == ("resend", str(original.id))
    assert answer.json["requested_by"] == "sade@oja.example"
    assert first.message["Message-ID"] != second.message["Message-ID"]
    assert first.message.get_body().get_content() == second.message.get_body().get_content()


def test_a_mail_that_is_still_on_its_way_is_not_sent_again(
    client: FlaskClient, notifier: Notifier
) -> None:
    notifier.hears(news.order_shipped())
    (mail,) = found(client, MAILS)

    answer = client.post(f"{MAILS}/{mail['id']}/resend", headers=STAFF_MEMBER)

    problem(answer, 409, "still_on_its_way")
    assert len(found(client, MAILS)) == 1


def test_a_mail_whose_words_are_gone_with_the_customer_is_not_sent_again(
    client: FlaskClient, notifier: Notifier
) -> None:
    notifier.hears(news.password_reset_requested())
    notifier.rows("UPDATE mails SET facts = '{}', status = 'failed', next_attempt_at = NULL")
    (mail,) = found(client, MAILS)

    answer = client.post(f"{MAILS}/{mail['id']}/resend", headers=STAFF_MEMBER)

    problem(answer, 422, "invalid")
    assert len(found(client, MAILS)) == 1


def test_an_unknown_mail_is_not_found(client: FlaskClient) -> None:
    problem(client.post(f"{MAILS}/{uuid4()}/resend", headers=STAFF_MEMBER), 404, "not_found")


def test_an_alert_is_acknowledged_by_whoever_says_so_first(
    client: FlaskClient, notifier: Notifier
) -> None:
    notifier.hears(news.stock_low())
    (alert,) = found(client, ALERTS, acknowledged="false", kind="low_stock")
    late = bearer(
        make_token(KEYS.private_pem, email="late@oja.example", permissions=["alerts:read"])
    )

    first = client.post(f"{ALERTS}/{alert['id']}/acknowledge", headers=STAFF_MEMBER)
    second = client.post(f"{ALERTS}/{alert['id']}/acknowledge", headers=late)

    assert first.json["acknowledged_by"] == "sade@oja.example"
    assert second.json == first.json
    assert found(client, ALERTS, acknowledged="false") == []
    assert found(client, ALERTS, acknowledged="true") == [first.json]


def test_an_unknown_alert_is_not_found(client: FlaskClient) -> None:
    problem(client.post(f"{ALERTS}/{uuid4()}/acknowledge", headers=STAFF_MEMBER), 404, "not_found")


def test_it_is_ready_while_the_database_answers(client: FlaskClient) -> None:
    assert client.get("/internal/readyz").status_code == 200
