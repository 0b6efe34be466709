"""An account is closed once, and forgotten everywhere."""

from typing import Any

from tests.support.shop import Shop
from tests.support.waiting import wait_until


def test_staff_see_that_every_service_has_forgotten_who_left(shop: Shop):
    ada = shop.customer()
    user_id = ada.get("/api/auth/me").json()["id"]
    shop.await_mails(ada.email)

    closed = ada.request("DELETE", "/api/auth/me", json={"password": ada.password})
    assert closed.status_code == 202

    def finished() -> Any:
        items = shop.staff.get("/api/admin/users/erasures", size=100).json()["items"]
        return [item for item in items if item["user_id"] == user_id and not item["missing"]]

    [erasure] = wait_until(finished, timeout=60, what="a receipt of every service")
    assert {each["service"] for each in erasure["receipts"]} == {
        "catalog",
        "ordering",
        "payments",
        "notifier",
    }
