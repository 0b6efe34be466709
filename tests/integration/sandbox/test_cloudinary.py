"""The official package, unchanged, against the sandbox."""

import hashlib
import io
import json
from typing import Any

import cloudinary
import cloudinary.api
import cloudinary.exceptions
import cloudinary.uploader
import cloudinary.utils
import pytest
import requests
from PIL import Image

from tests.integration.sandbox.running import Sandbox, Shop, new_reference

SECRET = "sandbox-secret"


def a_picture(colour: str = "red", size: tuple[int, int] = (80, 40)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


@pytest.fixture(autouse=True)
def account(sandbox: Sandbox) -> None:
    cloudinary.reset_config()
    cloudinary.config(
        cloud_name="demo",
        api_key="111222333",
        api_secret=SECRET,
        upload_prefix=f"{sandbox.url}/cloudinary",
        secure=False,
        cname=f"{sandbox.url.removeprefix('http://')}/cloudinary-delivery",
    )


def uploaded(**options: Any) -> Any:
    return cloudinary.uploader.upload(io.BytesIO(a_picture()), timeout=5, **options)


def opened(url: str, **headers: str) -> Image.Image:
    answer = requests.get(url, headers=headers, timeout=5)
    assert answer.ok, answer.headers
    return Image.open(io.BytesIO(answer.content))


def test_a_picture_is_uploaded_and_delivered(sandbox: Sandbox) -> None:
    name = new_reference()

    asset = uploaded(public_id=name, folder="shop", tags=["a", "b"], context={"alt": "A|mug=1"})

    assert asset["public_id"] == f"shop/{name}"
    assert asset["request_id"]
    assert (asset["width"], asset["height"], asset["format"]) == (80, 40, "png")
    assert asset["tags"] == ["a", "b"]
    assert asset["context"] == {"custom": {"alt": "A|mug=1"}}
    assert asset["etag"] == hashlib.md5(a_picture(), usedforsecurity=False).hexdigest()
    assert asset["secure_url"].startswith(f"{sandbox.url}/cloudinary-delivery/demo/image/upload/v")
    assert requests.get(asset["secure_url"], timeout=5).content == a_picture()
    assert cloudinary.utils.verify_api_response_signature(
        asset["public_id"], asset["version"], asset["signature"]
    )


def test_a_delivery_url_of_the_package_works() -> None:
    asset = uploaded(public_id=f"shop/{new_reference()}")

    url, _ = cloudinary.utils.cloudinary_url(
        asset["public_id"], format="webp", width=20, height=20, crop="fill", gravity="auto"
    )

    picture = opened(url)
    assert (picture.size, picture.format) == ((20, 20), "WEBP")


@pytest.mark.parametrize("long", [False, True])
def test_a_signed_delivery_url_works(long: bool) -> None:
    asset = uploaded(public_id=new_reference())
    cloudinary.config(long_url_signature=long)

    url, _ = cloudinary.utils.cloudinary_url(
        f"{asset['public_id']}.jpg", width=10, crop="scale", sign_url=True
    )

    assert opened(url).size == (10, 5)
    assert requests.get(url.replace("w_10", "w_11"), timeout=5).status_code == 401


def test_the_browser_chooses_the_format() -> None:
    asset = uploaded(public_id=new_reference())
    url = asset["secure_url"].replace("/upload/", "/upload/f_auto,q_auto/")

    assert opened(url, Accept="image/webp,*/*").format == "WEBP"
    assert opened(url, Accept="*/*").format == "PNG"


def test_eager_pictures_are_ready_at_once() -> None:
    asset = uploaded(eager=[{"width": 30, "height": 30, "crop": "fill"}])

    (eager,) = asset["eager"]
    assert (eager["width"], eager["height"]) == (30, 30)
    assert opened(eager["secure_url"]).size == (30, 30)


def test_uploading_again_replaces_but_keeps_the_asset() -> None:
    name = new_reference()
    first = uploaded(public_id=name)

    second = cloudinary.uploader.upload(io.BytesIO(a_picture("blue")), public_id=name)
    kept = uploaded(public_id=name, overwrite=False)

    assert second["asset_id"] == first["asset_id"]
    assert second["version"] > first["version"]
    assert (kept["existing"], kept["etag"]) == (True, second["etag"])
    # The version in the URL only busts caches: the old one serves the new picture.
    assert requests.get(first["secure_url"], timeout=5).content == a_picture("blue")


def test_a_destroyed_picture_is_gone() -> None:
    asset = uploaded()

    assert cloudinary.uploader.destroy(asset["public_id"])["result"] == "ok"
    assert cloudinary.uploader.destroy(asset["public_id"])["result"] == "not found"
    gone = requests.get(asset["secure_url"], timeout=5)
    assert gone.status_code == 404
    assert gone.headers["X-Cld-Error"] == f"Resource not found - {asset['public_id']}"


def test_the_admin_api_lists_shows_and_deletes() -> None:
    folder = new_reference()
    names = [uploaded(public_id=f"{folder}/{n}")["public_id"] for n in range(2)]

    listed = cloudinary.api.resources(type="upload", prefix=folder)["resources"]
    shown = cloudinary.api.resource(names[0])
    deleted = cloudinary.api.delete_resources([*names, "nothing"])

    assert cloudinary.api.ping()["status"] == "ok"
    assert {one["public_id"] for one in listed} == set(names)
    assert (shown["width"], shown["bytes"]) == (80, len(a_picture()))
    assert deleted["deleted"] == {
        names[0]: "deleted",
        names[1]: "deleted",
        "nothing": "not_found",
    }


def test_a_raw_file_keeps_its_bytes() -> None:
    asset = cloudinary.uploader.upload(
        io.BytesIO(b"a,b\n1,2\n"), resource_type="raw", public_id=f"{new_reference()}.csv"
    )

    assert requests.get(asset["secure_url"], timeout=5).content == b"a,b\n1,2\n"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"api_secret": "wrong"}, "AuthorizationRequired", "Invalid Signature"),
        ({"api_key": "999"}, "AuthorizationRequired", "Unknown API key "),
        ({"cloud_name": "other"}, "AuthorizationRequired", "Invalid cloud_name other"),
        ({"allowed_formats": "jpg"}, "BadRequest", "not allowed"),
        ({"upload_preset": "x", "unsigned": True}, "BadRequest", "Upload preset not found"),
    ],
)
def test_a_wrong_upload_is_refused(options: dict[str, Any], error: str, message: str) -> None:
    with pytest.raises(getattr(cloudinary.exceptions, error), match=message):
        uploaded(**options)


def test_a_file_that_is_no_picture_is_refused() -> None:
    with pytest.raises(cloudinary.exceptions.BadRequest, match="Invalid image file"):
        cloudinary.uploader.upload(io.BytesIO(b"no picture"))


def test_a_file_that_is_too_large_is_refused() -> None:
    content = io.BytesIO(a_picture() + bytes(10_485_760))

    with pytest.raises(cloudinary.exceptions.BadRequest, match=r"File size too large\. Got"):
        cloudinary.uploader.upload(content)


def test_an_unsigned_upload_needs_a_preset(sandbox: Sandbox) -> None:
    answer = requests.post(
        f"{sandbox.url}/cloudinary/v1_1/demo/image/upload",
        files={"file": a_picture()},
        timeout=5,
    )

    text = "Upload preset must be specified when using unsigned upload"
    assert (answer.status_code, answer.json()) == (400, {"error": {"message": text}})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_an_impossible_transformation_says_why() -> None:
    asset = uploaded()

    answer = requests.get(asset["secure_url"].replace("/upload/", "/upload/w_abc/"), timeout=5)

    assert answer.status_code == 400
    assert answer.headers["X-Cld-Error"] == "Invalid transformation component - w_abc"


def test_a_notification_is_signed(sandbox: Sandbox, shop: Shop) -> None:
    asset = uploaded(notification_url=shop.url)

    (notification,) = shop.waits_for(asset["public_id"])

    timestamp = notification.headers["x-cld-timestamp"]
    assert json.loads(notification.body)["notification_type"] == "upload"
    assert cloudinary.utils.verify_notification_signature(
        notification.body.decode(), int(timestamp), notification.headers["x-cld-signature"]
    )


@pytest.mark.parametrize(
    ("fault", "error"), [("rate_limit", "RateLimited"), ("error", "GeneralError")]
)
def test_cloudinary_has_bad_days_too(sandbox: Sandbox, fault: str, error: str) -> None:
    sandbox.post("/_sandbox/faults", provider="cloudinary", fault=fault)

    with pytest.raises(getattr(cloudinary.exceptions, error)):
        uploaded()

    assert uploaded()["public_id"]
