"""Pictures of products, over a real database and a Cloudinary that is a process of its own."""

import io
from collections.abc import Iterator
from dataclasses import replace
from threading import Thread
from time import process_time
from uuid import uuid4

import pytest
import requests
from PIL import Image

from catalog.bootstrap import Dependencies, build
from catalog.entrypoints.worker import timers
from catalog.use_cases import images
from oja_events.contracts.catalog import ProductChanged
from oja_web.testing import problem
from tests.integration.catalog.conftest import Staff
from tests.integration.sandbox.running import SECRETS, Sandbox

MiB = 1024 * 1024


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path_factory.mktemp("sandbox"), "http://127.0.0.1:9/")
    sandbox.start()
    yield sandbox
    sandbox.end()


@pytest.fixture(scope="module")
def deps(deps: Dependencies, sandbox: Sandbox) -> Iterator[Dependencies]:
    """The shared shop, with an account at Cloudinary."""
    wired = build(
        replace(
            deps.settings,
            cloudinary_url=SECRETS["SANDBOX_CLOUDINARY_URL"],
            cloudinary_upload_prefix=f"{sandbox.url}/cloudinary",
            cloudinary_delivery_url=f"{sandbox.url}/cloudinary-delivery",
        )
    )
    yield wired
    wired.engine.dispose()


@pytest.fixture(scope="module")
def staff(deps: Dependencies) -> Staff:
    return Staff(deps)


@pytest.fixture(autouse=True)
def _without_faults(sandbox: Sandbox) -> Iterator[None]:
    yield
    sandbox.http.delete(f"{sandbox.url}/_sandbox/faults")


@pytest.fixture
def product(staff):
    return staff.create().json


def a_picture(colour="red", size=(80, 40), kind="JPEG"):
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, kind)
    return out.getvalue()


def upload(staff, product, content=None, **form):
    fields = [part(name, value.encode()) for name, value in form.items()]
    body = b"".join([*fields, part('file"; filename="a.jpg', content or a_picture())])
    return staff.open(
        "POST",
        f"/api/admin/products/{product['id']}/images",
        data=body + b"--edge--\r\n",
        content_type="multipart/form-data; boundary=edge",
    )


def part(name, content):
    head = f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n"


def uploaded(staff, product, content=None, **form):
    answer = upload(staff, product, content, **form)
    assert answer.status_code == 201, answer.text
    return answer.json


def etag(staff, product):
    return staff.open("GET", f"/api/admin/products/{product['id']}").headers["ETag"]


def change(staff, product, image, seen=None, **form):
    return staff.open(
        "PATCH",
        f"/api/admin/products/{product['id']}/images/{image['id']}",
        data=form,
        content_type="multipart/form-data",
        seen=seen or etag(staff, product),
    )


def shown(client, product):
    return client.get(f"/api/products/{product['id']}").json["images"]


def stored(sandbox):
    """The public ids that Cloudinary holds."""
    key, secret = (
        SECRETS["SANDBOX_CLOUDINARY_URL"].removeprefix("cloudinary://").split("@")[0].split(":")
    )
    answer = requests.get(
        f"{sandbox.url}/cloudinary/v1_1/demo/resources/image?max_results=500",
        auth=(key, secret),
        timeout=5,
    )
    return {each["public_id"] for each in answer.json()["resources"]}


def test_a_picture_is_shown_with_a_thumbnail_that_loads(client, staff, shop, product):
    image = uploaded(staff, product, a_picture(size=(3000, 1500)), alt="A red basket")

    assert shown(client, product) == [image]
    assert (image["alt"], image["position"]) == ("A red basket", 0)
    whole, small = (
        Image.open(io.BytesIO(requests.get(image[name], timeout=5).content))
        for name in ("url", "thumbnail_url")
    )
    assert (whole.size, small.size) == ((2048, 1024), (400, 400))
    assert not whole.getexif()
    told = [event for event in shop.told() if isinstance(event, ProductChanged)]
    assert told[-1].image_url == image["url"]
    listed = client.get("/api/products", query_string={"q": product["variants"][0]["sku"]}).json
    assert listed["items"][0]["images"] == [image]


def test_pictures_are_described_moved_and_replaced(client, staff, sandbox, deps, product):
    first, second = (uploaded(staff, product, alt=alt) for alt in ("first", "second"))

    moved = change(staff, product, second, position="0", alt="now first")
    replaced = change(
        staff, product, first, file=(io.BytesIO(a_picture("blue", kind="PNG")), "b.png")
    )

    assert moved.json == {**second, "alt": "now first", "position": 0}
    assert moved.headers["ETag"] != replaced.headers["ETag"] == etag(staff, product)
    assert [each["alt"] for each in shown(client, product)] == ["now first", "first"]
    assert replaced.json["id"] == first["id"]
    assert replaced.json["url"].endswith(".png")
    assert images.remove_strays(store=deps.images, unit_of_work=deps.unit_of_work) == 1
    assert requests.get(first["url"], timeout=5).status_code == 404
    assert requests.get(replaced.json["url"], timeout=5).ok


def test_a_removed_picture_is_removed_at_cloudinary_too(client, staff, sandbox, deps, product):
    image = uploaded(staff, product)
    url = f"/api/admin/products/{product['id']}/images/{image['id']}"

    problem(staff.open("DELETE", url), 428, "precondition_required")
    assert staff.open("DELETE", url, seen=etag(staff, product)).status_code == 204

    assert shown(client, product) == []
    assert images.remove_strays(store=deps.images, unit_of_work=deps.unit_of_work) == 1
    assert requests.get(image["url"], timeout=5).status_code == 404
    problem(staff.open("DELETE", url, seen=etag(staff, product)), 404, "not_found")


def test_the_worker_sweeps(deps):
    assert timers(deps)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_provider_that_fails_leaves_no_half_made_picture(
    client, staff, sandbox, deps, product, shop, when
):
    held = stored(sandbox)
    fault = {"provider": "cloudinary", "fault": "error", "status": 500, "times": 1, "when": when}
    sandbox.post("/_sandbox/faults", **fault)

    answer = problem(upload(staff, product), 503, "image_store_unavailable")

    assert "General Error" not in str(answer)
    assert shown(client, product) == []
    # What arrived although the answer was lost is a stray; an hour later it goes.
    with deps.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE stray_images SET remove_at = now()")
    images.remove_strays(store=deps.images, unit_of_work=deps.unit_of_work)
    assert stored(sandbox) == held
    assert shop.rows("SELECT FROM stray_images") == []


def test_without_a_provider_uploads_get_503(product, staff, deps):
    nowhere = replace(deps.settings, cloudinary_upload_prefix="http://127.0.0.1:9")
    none = replace(deps.settings, cloudinary_url=None)

    for settings in (nowhere, none):
        wired = build(settings)
        problem(upload(Staff(wired), product), 503, "image_store_unavailable")
        wired.engine.dispose()


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', 415, "unsupported_media_type"),
        (b"GIF89a<script>alert(1)</script>", 415, "unsupported_media_type"),
        (a_picture()[:300], 422, "invalid"),
        (a_picture("red", (10_001, 1)), 422, "invalid"),
        (b"x" * (10 * MiB), 413, "content_too_large"),
    ],
    ids=["svg", "polyglot", "truncated", "too wide", "too many bytes"],
)
def test_what_is_no_good_picture_is_refused_quickly(staff, sandbox, product, content, status, code):
    held = stored(sandbox)
    began = process_time()

    problem(upload(staff, product, content), status, code)

    assert process_time() - began < 2
    assert stored(sandbox) == held


def test_the_form_is_taken_literally(staff, product):
    image = uploaded(staff, product)
    url = f"/api/admin/products/{product['id']}/images"
    file = lambda: (io.BytesIO(a_picture()), "a.jpg")  # noqa: E731

    for data, field in (
        ({"file": file(), "colour": "red"}, "colour"),
        ({"file": file(), "other": file()}, "other"),
        ({"file": file(), "position": "-1"}, "position"),
        ({"file": file(), "alt": "x" * 301}, "alt"),
        ({"alt": "no file"}, "file"),
    ):
        answer = staff.open("POST", url, data=data, content_type="multipart/form-data")
        assert list(problem(answer, 422, "invalid")["errors"]) == [field]
    problem(staff.open("POST", url, json={"file": "x"}), 415, "unsupported_media_type")
    problem(change(staff, product, image, seen='"v0"', alt="x"), 412, "precondition_failed")
    problem(change(staff, product, {"id": uuid4()}, alt="x"), 404, "not_found")
    problem(upload(staff, {"id": uuid4()}), 404, "not_found")


def test_uploads_at_the_same_time_all_find_their_place(client, staff, product):
    threads = [Thread(target=uploaded, args=(staff, product)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [image["position"] for image in shown(client, product)] == [0, 1, 2, 3, 4]
