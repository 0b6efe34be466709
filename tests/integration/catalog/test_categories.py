"""The tree of categories over HTTP."""

from threading import Thread
from uuid import uuid4

import pytest

from catalog.entrypoints.worker import timers
from oja_web.testing import problem
from tests.integration.catalog.conftest import a_variant
from tests.integration.catalog.test_stock import at_once
from tests.support.waiting import UntilIdle

SHELVES = "/api/admin/categories"


def create(staff, name, parent=None):
    response = staff.open("POST", SHELVES, json={"name": name, "parent": parent})
    assert response.status_code == 201, response.text
    return response


def move(staff, category, parent):
    url = f"{SHELVES}/{category['id']}"
    seen = staff.open("GET", url).headers["ETag"]
    return staff.open("PATCH", url, json={"parent": parent}, seen=seen)


@pytest.fixture
def outer(staff):
    return create(staff, f"Outer {uuid4().hex[:8]}").json


@pytest.fixture
def inner(staff, outer):
    return create(staff, f"Inner {uuid4().hex[:8]}", outer["slug"]).json


def test_the_tree_shows_what_is_inside(client, outer, inner):
    [branch] = [
        each for each in client.get("/api/categories").json["items"] if each["id"] == outer["id"]
    ]

    leaf = {"id": inner["id"], "slug": inner["slug"], "name": inner["name"], "children": []}
    assert branch == {
        "id": outer["id"],
        "slug": outer["slug"],
        "name": outer["name"],
        "children": [leaf],
    }


def test_staff_see_each_category_with_its_parent(staff, outer, inner):
    assert inner["parent"] == outer["slug"]
    assert inner in staff.open("GET", SHELVES).json["items"]


def test_a_category_cannot_go_into_itself(staff, outer, inner):
    answer = problem(move(staff, outer, inner["slug"]), 422, "invalid")

    assert list(answer["errors"]) == ["parent"]


def test_two_moves_at_once_make_no_cycle(client, staff):
    first, second = (create(staff, f"Loose {uuid4().hex[:8]}").json for _ in range(2))
    moves = [
        Thread(target=move, args=(staff, first, second["slug"])),
        Thread(target=move, args=(staff, second, first["slug"])),
    ]
    for thread in moves:
        thread.start()
    for thread in moves:
        thread.join()

    rows = {each["id"]: each for each in staff.open("GET", SHELVES).json["items"]}
    assert None in {rows[first["id"]]["parent"], rows[second["id"]]["parent"]}


def test_an_unknown_parent_is_refused(staff):
    response = staff.open("POST", SHELVES, json={"name": "x", "parent": "nowhere"})

    assert list(problem(response, 422, "invalid")["errors"]) == ["parent"]


def test_products_are_found_by_the_new_name_of_their_category(client, deps, staff, outer, tag):
    staff.create(category=outer["slug"], tags=[tag])
    url = f"{SHELVES}/{outer['id']}"
    seen = staff.open("GET", url).headers["ETag"]

    staff.open("PATCH", url, json={"name": "Kalimbas"}, seen=seen)
    for timer in timers(deps):
        timer(UntilIdle())

    [item] = client.get("/api/products", query_string={"tag": tag, "q": "kalimba"}).json["items"]
    assert item["category"] == {"id": outer["id"], "slug": outer["slug"], "name": "Kalimbas"}


def test_changes_need_the_version_that_was_seen(staff, outer):
    url = f"{SHELVES}/{outer['id']}"
    seen = staff.open("GET", url).headers["ETag"]

    problem(staff.open("PATCH", url, json={"name": "x"}), 428, "precondition_required")
    assert staff.open("PATCH", url, json={"name": "Newer"}, seen=seen).status_code == 200
    problem(staff.open("PATCH", url, json={"name": "x"}, seen=seen), 412, "precondition_failed")


def remove(staff, category):
    url = f"{SHELVES}/{category['id']}"
    return staff.open("DELETE", url, seen=staff.open("GET", url).headers["ETag"])


def test_only_a_category_that_nothing_is_in_is_removed(client, staff, outer, inner):
    product = staff.create(category=inner["slug"]).json

    problem(remove(staff, outer), 409, "category_in_use")
    problem(remove(staff, inner), 409, "category_in_use")
    url = f"/api/admin/products/{product['id']}"
    seen = staff.open("GET", url).headers["ETag"]
    staff.open("PATCH", url, json={"category": None}, seen=seen)
    removed = [remove(staff, each).status_code for each in (inner, outer)]

    assert removed == [204, 204]
    shown = {each["id"] for each in client.get("/api/categories").json["items"]}
    assert not shown & {inner["id"], outer["id"]}
    problem(staff.open("DELETE", f"{SHELVES}/{inner['id']}", seen='"v1"'), 404, "not_found")


def test_a_category_is_removed_or_filled_but_never_both(staff, outer):
    answers = {}
    fill = {"name": "Drum", "category": outer["slug"], "variants": [a_variant()]}

    def filled():
        answers["fill"] = staff.open("POST", "/api/admin/products", json=fill).status_code

    def removed():
        answers["remove"] = remove(staff, outer).status_code

    at_once([filled, removed])

    assert (answers["fill"], answers["remove"]) in {(201, 409), (422, 204)}
