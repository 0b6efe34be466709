"""Addresses of pictures, and accounts, as settings give them."""

import pytest

from catalog.adapters.image_store import CloudinaryStore

ACCOUNT = "cloudinary://key:secret@Shop"


def address(delivery_url):
    store = CloudinaryStore(ACCOUNT, delivery_url=delivery_url)
    return store._address("products/abc", version=7, format="jpg")


@pytest.mark.parametrize(
    ("delivery_url", "host"),
    [
        (None, "https://res.cloudinary.com"),
        ("https://res.cloudinary.com", "https://res.cloudinary.com"),
        ("https://media.shop.example/", "https://media.shop.example"),
        ("http://localhost:8025/cloudinary-delivery", "http://localhost:8025/cloudinary-delivery"),
    ],
)
def test_pictures_are_where_the_settings_say_and_the_cloud_keeps_its_case(delivery_url, host):
    assert address(delivery_url) == f"{host}/Shop/image/upload/v7/products/abc.jpg"


@pytest.mark.parametrize(
    "url", ["", "https://key:secret@cloud", "cloudinary://cloud", "cloudinary://key@cloud"]
)
def test_an_account_that_lacks_something_is_refused_at_the_start(url):
    with pytest.raises(ValueError, match="CLOUDINARY_URL must be"):
        CloudinaryStore(url)
