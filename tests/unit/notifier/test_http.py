"""Who may ask what; nothing here reaches a database."""

from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from notifier.bootstrap import build
from notifier.entrypoints.http.app import create_app
from notifier.settings import Settings
from notifier.use_cases.queries import MailPage
from oja_web.testing import ISSUER, bearer, make_key_pair, make_token, problem
from tests.support.notifier import SENDER, STAFF, STOREFRONT

KEYS = make_key_pair()
SETTINGS = Settings(
    database_url="postgresql+psycopg2://nobody@localhost/nothing",
    broker_url="amqp://localhost",
    jwt_public_keys=KEYS.jwks,
    jwt_issuer=ISSUER,
    smtp_url="smtp://localhost",
    mail_from=SENDER,
    staff_mail=STAFF,
    storefront_url=STOREFRONT,
    identity_url="http://identity.test",
    internal_token="t" * 40,
    feed_urls={},
)
SOME_ID = "01890000-0000-7000-8000-000000000001"
ROUTES = [
    ("GET", "/api/admin/notifications", "notifications:read"),
    ("POST", f"/api/admin/notifications/{SOME_ID}/resend", "notifications:write"),
    ("GET", "/api/admin/email-templates", "notifications:read"),
    ("GET", "/api/admin/email-templates/welcome", "notifications:read"),
    ("PUT", "/api/admin/email-templates/welcome", "templates:write"),
    ("DELETE", "/api/admin/email-templates/welcome", "templates:write"),
    ("POST", "/api/admin/email-templates/welcome/preview", "templates:write"),
    ("POST", "/api/admin/email-templates/welcome/test", "templates:write"),
    ("GET", "/api/admin/alerts", "alerts:read"),
    ("POST", f"/api/admin/alerts/{SOME_ID}/acknowledge", "alerts:read"),
    ("GET", "/api/admin/alerts/preferences", "alerts:read"),
    ("GET", "/api/admin/audit/notifier", "audit:read"),
    ("PUT", "/api/admin/alerts/preferences", "alerts:read"),
]


class NoMails:
    """A ledger without entries; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    def mails(self, **filters: Any) -> MailPage:
        self.asked = filters
        return MailPage([], None)


@pytest.fixture
def queries() -> NoMails:
    return NoMails()


@pytest.fixture
def client(queries: NoMails) -> FlaskClient:
    deps = replace(build(SETTINGS), queries=queries)
    return create_app(SETTINGS, deps).test_client()


def staff(*permissions: str) -> dict[str, str]:
    return bearer(make_token(KEYS.private_pem, permissions=list(permissions)))


@pytest.mark.parametrize(("method", "path", "permission"), ROUTES)
def test_strangers_are_asked_to_sign_in(
    client: FlaskClient, method: str, path: str, permission: str
) -> None:
    problem(client.open(path, method=method), 401, "unauthenticated")


@pytest.mark.parametrize(("method", "path", "permission"), ROUTES)
def test_every_route_wants_its_own_permission(
    client: FlaskClient, method: str, path: str, permission: str
) -> None:
    others = staff(*({route[2] for route in ROUTES} - {permission}))

    problem(client.open(path, method=method, headers=others), 403, "forbidden")


@pytest.mark.parametrize(
    "query",
    [
        "template=unknown",
        "status=lost",
        "order_id=7",
        "size=0",
        "size=101",
        "cursor=%21",
        "recipient=",
    ],
)
def test_a_search_that_makes_no_sense_is_refused(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/api/admin/notifications?{query}", headers=staff("notifications:read"))

    name = query.partition("=")[0]
    assert name in problem(answer, 422, "invalid")["errors"]


def test_a_search_is_passed_on(client: FlaskClient, queries: NoMails) -> None:
    answer = client.get(
        "/api/admin/notifications?recipient=ada@example.com&status=sent&size=5",
        headers=staff("notifications:read"),
    )

    assert answer.json == {"items": [], "next": None}
    assert queries.asked["recipient"] == "ada@example.com"
    assert (queries.asked["status"], queries.asked["size"]) == ("sent", 5)


def test_a_preview_of_a_real_order_takes_the_right_to_read_mails(client: FlaskClient) -> None:
    answer = client.post(
        "/api/admin/email-templates/order_shipped/preview",
        json={"order_id": SOME_ID},
        headers=staff("templates:write"),
    )

    problem(answer, 403, "forbidden")


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        ({"subject": "Hi", "text": "Hi"}, "html"),
        ({"subject": "Hi\r\nBcc: e@x.example", "text": "Hi", "html": "Hi"}, "subject"),
        ({"subject": "Hi", "text": "Hi", "html": "x" * 65_537}, "html"),
        ({"subject": "Hi", "text": "Hi", "html": "Hi", "css": ""}, "css"),
    ],
)
def test_a_draft_that_is_none_is_refused(
    client: FlaskClient, draft: dict[str, str], field: str
) -> None:
    seen = {"If-Match": '"v1"'}
    answer = client.put(
        "/api/admin/email-templates/welcome", json=draft, headers=staff("templates:write") | seen
    )

    assert list(problem(answer, 422, "invalid")["errors"]) == [field]
