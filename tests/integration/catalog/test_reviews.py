"""What customers say about products, over HTTP and a real database."""

from dataclasses import replace
from threading import Thread
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from catalog.domain.review import Opinion
from catalog.entrypoints.http.app import create_app
from catalog.use_cases import event_handlers, reviews
from oja_events.contracts import Line
from oja_events.contracts.catalog import ReviewPosted
from oja_events.contracts.identity import CustomerErased
from oja_events.contracts.ordering import OrderCompleted
from oja_web.testing import bearer, make_token, problem
from tests.integration.catalog.conftest import KEYS
from tests.support.waiting import wait_until
from tests.unit.catalog.builders import ADA, NAIRA, NOW

WAITING = """
    SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()
"""


class Customer:
    def __init__(self, deps, name="Ada Obi", **claims):
        self.id = uuid4()
        self._client = create_app(deps.settings, deps).test_client()
        token = make_token(KEYS.private_pem, sub=str(self.id), name=name, **claims)
        self._headers = bearer(token)

    def send(self, method, url, body=None, **headers):
        return self._client.open(
            url, method=method, json=body, headers={**self._headers, **headers}
        )

    def review(self, product, rating=5, **body):
        return self.send("POST", url_of(product), {"rating": rating, **body})


def url_of(product, review=None):
    url = f"/api/products/{product['id']}/reviews"
    return f"{url}/{review['id']}" if review else url


@pytest.fixture
def ada(deps):
    return Customer(deps)


@pytest.fixture
def moderator(deps):
    return Customer(deps, permissions=["reviews:write"])


@pytest.fixture
def product(staff):
    return staff.create().json


def listed(client, product, **query):
    return client.get(url_of(product), query_string=query).json["items"]


def rating(client, product):
    shown = client.get(f"/api/products/{product['id']}").json["rating"]
    return shown["average"], shown["count"]


def completed(customer, product):
    line = Line(
        sku="A", product_id=UUID(product["id"]), name="Basket", quantity=1, unit_price=NAIRA
    )
    return OrderCompleted(
        order_id=uuid4(),
        number="OJ-100001",
        customer_id=customer.id,
        contact=ADA,
        lines=(line, line),
        total=NAIRA,
        completed_at=NOW,
    )


def erase(deps, customer):
    event = CustomerErased(customer_id=customer.id, erased_at=NOW)
    event_handlers.customer_erased(event, uow=deps.unit_of_work())


def interrupted(deps, other, shop):
    """A unit of work; before its commit, `other` starts and comes to wait for it."""
    uow = deps.unit_of_work()
    commit = uow.commit

    def commit_late():
        other.start()
        wait_until(lambda: shop.rows(WAITING), timeout=5, what="the other to wait")
        commit()

    uow.commit = commit_late
    return uow


def decide(moderator, review, status):
    url = f"/api/admin/reviews/{review['id']}"
    seen = moderator.send("GET", url).headers["ETag"]
    return moderator.send("PATCH", url, {"status": status}, **{"If-Match": seen})


def test_a_review_is_shown_and_counted_at_once_and_told(client, ada, product, shop):
    body = "Strong <b>handles</b> & <script>alert(1)</script>\n=1+1"

    posted = ada.review(product, 4, title="Good", body=body)

    assert posted.status_code == 201
    review = posted.json
    assert listed(client, product) == [review]
    assert review == {
        "id": review["id"],
        "product_id": product["id"],
        "rating": 4,
        "title": "Good",
        "body": body,
        "author": "Ada O.",
        "verified_purchase": False,
        "status": "published",
        "created_at": review["created_at"],
        "updated_at": review["created_at"],
    }
    assert rating(client, product) == (4, 1)
    [told] = [event for event in shop.told() if isinstance(event, ReviewPosted)]
    assert (str(told.review_id), told.customer_id, told.rating) == (review["id"], ada.id, 4)


def test_a_customer_has_one_review_of_a_product(deps, client, ada, product):
    ada.review(product, 5)

    problem(ada.review(product, 1), 409, "already_reviewed")

    assert Customer(deps).review(product, 2).status_code == 201
    assert rating(client, product) == (3.5, 2)


def test_a_customer_changes_and_withdraws_the_own_review_only(deps, client, ada, product):
    review = ada.review(product, 5, title="Good").json
    ben = Customer(deps)
    for method, body in (("PATCH", {"rating": 1}), ("DELETE", None)):
        problem(ben.send(method, url_of(product, review), body), 404, "not_found")
    problem(ada.send("DELETE", url_of({"id": uuid4()}, review)), 404, "not_found")

    changed = ada.send("PATCH", url_of(product, review), {"rating": 2})

    assert (changed.json["rating"], changed.json["title"]) == (2, "Good")
    assert rating(client, product) == (2, 1)
    assert ada.send("DELETE", url_of(product, review)).status_code == 204
    assert (rating(client, product), listed(client, product)) == ((0, 0), [])
    assert ada.review(product, 3).status_code == 201


@pytest.mark.parametrize("bought_first", [True, False])
def test_who_has_received_the_product_is_verified(deps, client, ada, product, bought_first):
    def receive():
        for _ in range(2):
            event_handlers.order_completed(completed(ada, product), uow=deps.unit_of_work())

    if bought_first:
        receive()
    assert ada.review(product).json["verified_purchase"] is bought_first
    receive()
    Customer(deps).review(product)

    assert [each["verified_purchase"] for each in listed(client, product)] == [False, True]


def test_staff_hide_and_show_reviews_and_the_rating_follows(deps, client, ada, moderator, product):
    review = ada.review(product, 1).json
    Customer(deps).review(product, 5)
    url = f"/api/admin/reviews/{review['id']}"

    problem(moderator.send("PATCH", url, {"status": "hidden"}), 428, "precondition_required")
    hidden = decide(moderator, review, "hidden")

    assert hidden.json["status"] == "hidden"
    assert (rating(client, product), len(listed(client, product))) == ((5, 1), 1)
    # The customer may go on writing; it stays hidden.
    ada.send("PATCH", url_of(product, review), {"rating": 2})
    assert rating(client, product) == (5, 1)
    decide(moderator, review, "published")
    assert rating(client, product) == (3.5, 2)
    stale = moderator.send("PATCH", url, {"status": "hidden"}, **{"If-Match": '"v1"'})
    problem(stale, 412, "precondition_failed")
    missing = moderator.send("GET", f"/api/admin/reviews/{uuid4()}")
    problem(missing, 404, "not_found")


def test_a_hidden_review_cannot_be_shown_by_posting_it_anew(client, ada, moderator, product):
    hidden = ada.review(product, 1).json
    decide(moderator, hidden, "hidden")

    ada.send("DELETE", url_of(product, hidden))
    again = ada.review(product, 1)

    assert again.json["status"] == "pending"
    assert listed(client, product) == []


def test_where_reviews_are_moderated_staff_read_them_first(deps, client, moderator, product):
    moderated = replace(deps, settings=replace(deps.settings, reviews_moderated=True))
    ada = Customer(moderated)

    review = ada.review(product, 4).json

    assert review["status"] == "pending"
    assert (rating(client, product), listed(client, product)) == ((0, 0), [])
    waiting = moderator.send("GET", "/api/admin/reviews?status=pending&size=1&total=true").json
    assert waiting["items"] == [review]
    decide(moderator, review, "published")
    assert rating(client, product) == (4, 1)
    ada.send("PATCH", url_of(product, review), {"body": "Changed my mind"})
    assert (rating(client, product), listed(client, product)) == ((0, 0), [])


def test_the_list_goes_on_page_by_page(deps, client, product):
    posted = [Customer(deps).review(product, n % 5 + 1).json["id"] for n in range(5)]

    seen, cursor = [], None
    while True:
        query = {"size": 2, "total": "true"} | ({"cursor": cursor} if cursor else {})
        answer = client.get(url_of(product), query_string=query).json
        seen += [each["id"] for each in answer["items"]]
        cursor = answer["next"]
        if cursor is None:
            break

    assert seen == posted[::-1]
    assert answer["total"] == 5
    problem(client.get(url_of(product), query_string={"cursor": "x"}), 422, "invalid")


def test_what_the_public_cannot_see_cannot_be_reviewed(client, ada, staff):
    for hidden in (staff.create(status="draft").json, {"id": uuid4()}):
        problem(ada.review(hidden), 404, "not_found")
        problem(client.get(url_of(hidden)), 404, "not_found")


def test_lists_are_narrowed_and_sorted_by_rating(deps, client, staff, tag):
    poor, good, unrated = (staff.create(name=name, tags=[tag]).json for name in "abc")
    for product, stars in ((poor, 2), (good, 5), (good, 4)):
        Customer(deps).review(product, stars)

    def found(**query):
        items = client.get("/api/products", query_string={"tag": tag, **query}).json["items"]
        return [item["id"] for item in items]

    assert found(min_rating=4) == [good["id"]]
    assert found(min_rating=5) == []
    assert found(sort="rating") == [good["id"], poor["id"], unrated["id"]]


def test_the_rating_is_right_however_many_write_at_once(deps, client, product, shop):
    def write_a_lot(customer, first):
        review = customer.review(product, first).json
        for stars in (5, 1, 3):
            customer.send("PATCH", url_of(product, review), {"rating": stars})
        if first % 2:
            customer.send("DELETE", url_of(product, review))

    customers = [Customer(deps) for _ in range(10)]
    threads = [
        Thread(target=write_a_lot, args=(customer, n % 5 + 1))
        for n, customer in enumerate(customers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert rating(client, product) == (3, 4)
    query = "SELECT rating_sum FROM products WHERE id = :id"
    assert shop.rows(query, id=product["id"])[0].rating_sum == 12


def test_one_customer_at_two_doors_writes_one_review(deps, client, ada, product):
    answers = []
    threads = [
        Thread(target=lambda: answers.append(ada.review(product, 4).status_code)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [201, 409, 409, 409]
    assert rating(client, product) == (4, 1)


def test_the_reviews_of_a_customer_who_left_stay_without_their_name(deps, client, ada, product):
    ada.review(product)
    erase(deps, ada)

    with deps.unit_of_work() as uow:
        query = text("SELECT author, title FROM reviews WHERE customer_id = :id")
        [row] = uow.session.execute(query, {"id": ada.id})
    assert row.author == "Former customer"


def test_what_comes_late_of_a_customer_who_left_is_not_kept(
    deps, staff, ada, moderator, product, shop
):
    hidden = ada.review(product, 1).json
    decide(moderator, hidden, "hidden")
    erase(deps, ada)

    event_handlers.order_completed(completed(ada, product), uow=deps.unit_of_work())
    again = ada.review(staff.create().json)
    ada.send("DELETE", url_of(product, hidden))

    problem(again, 401, "unauthenticated")
    for table in ("purchases", "barred_reviewers", "reviews"):
        query = f"SELECT FROM {table} WHERE customer_id = :id"
        assert shop.rows(query, id=ada.id) == []


def test_erasing_waits_for_a_review_that_is_about_to_be_kept(deps, ada, product, shop):
    erasing = Thread(target=erase, args=(deps, ada))
    uow = interrupted(deps, erasing, shop)

    reviews.post_review(
        UUID(product["id"]),
        Opinion(rating=5, title="", body=""),
        customer_id=ada.id,
        name="Ada Obi",
        moderated=False,
        uow=uow,
    )
    erasing.join()

    [row] = shop.rows("SELECT author FROM reviews WHERE customer_id = :id", id=ada.id)
    assert row.author == "Former customer"


def test_erasing_waits_for_a_purchase_that_is_about_to_be_kept(deps, ada, product, shop):
    erasing = Thread(target=erase, args=(deps, ada))

    event_handlers.order_completed(completed(ada, product), uow=interrupted(deps, erasing, shop))
    erasing.join()

    assert shop.rows("SELECT FROM purchases WHERE customer_id = :id", id=ada.id) == []


def test_posting_anew_waits_for_a_hidden_review_to_be_withdrawn(
    deps, ada, moderator, product, shop
):
    hidden = ada.review(product, 1).json
    decide(moderator, hidden, "hidden")
    answers = []
    posting = Thread(target=lambda: answers.append(ada.review(product, 1)))

    reviews.withdraw_review(
        UUID(product["id"]),
        UUID(hidden["id"]),
        customer_id=ada.id,
        uow=interrupted(deps, posting, shop),
    )
    posting.join()

    assert answers[0].json["status"] == "pending"
