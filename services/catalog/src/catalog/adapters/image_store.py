"""Pictures on Cloudinary, through its own package.

Everything is said with each call: the package's global settings come from CLOUDINARY_* variables
in ways that contradict each other, and turn the cloud's name into lower case.
"""

import io
from typing import Any
from urllib.parse import urlsplit

import cloudinary.uploader  # type: ignore[import-untyped]
from cloudinary.exceptions import Error  # type: ignore[import-untyped]
from cloudinary.utils import cloudinary_url  # type: ignore[import-untyped]
from urllib3 import Timeout

from catalog.use_cases.errors import ImageStoreUnavailable
from catalog.use_cases.ports import Picture, StoredImage

CONNECT_SECONDS, ANSWER_SECONDS = 3, 12
THUMBNAIL = {
    "width": 400,
    "height": 400,
    "crop": "fill",
    "gravity": "auto",
    "quality": "auto",
    "fetch_format": "auto",
}


class CloudinaryStore:
    """`url` is cloudinary://key:secret@cloud. `delivery_url` is where the public finds the files,
    without the cloud's name; left out, it is Cloudinary's own host."""

    def __init__(
        self, url: str, *, upload_prefix: str | None = None, delivery_url: str | None = None
    ) -> None:
        self._account = _account(url)
        if upload_prefix:
            self._account["upload_prefix"] = upload_prefix
        self._delivery = _delivery(delivery_url)

    def upload(self, picture: Picture, public_id: str) -> StoredImage:
        answer = self._call(
            cloudinary.uploader.upload,
            io.BytesIO(picture.content),
            public_id=public_id,
            filename=f"picture.{picture.format}",
            resource_type="image",
            overwrite=False,
        )
        try:
            version, extension = answer["version"], answer["format"]
        except (KeyError, TypeError):
            raise ImageStoreUnavailable("the answer lacks the version or the format") from None
        return StoredImage(
            public_id,
            self._address(public_id, version=version, format=extension),
            self._address(public_id, version=version, format=extension, **THUMBNAIL),
        )

    def remove(self, public_id: str) -> None:
        answer = self._call(cloudinary.uploader.destroy, public_id, invalidate=True)
        if answer.get("result") not in ("ok", "not found"):
            raise ImageStoreUnavailable(f"could not be removed: {answer.get('result')}")

    def _call(self, call: Any, *arguments: Any, **options: Any) -> Any:
        timeout = Timeout(connect=CONNECT_SECONDS, read=ANSWER_SECONDS)
        try:
            return call(*arguments, **options, **self._account, timeout=timeout)
        except (Error, OSError, ValueError) as error:
            raise ImageStoreUnavailable(str(error)) from error

    def _address(self, public_id: str, **options: Any) -> str:
        cloud = self._account["cloud_name"]
        address, _ = cloudinary_url(public_id, cloud_name=cloud, **self._delivery, **options)
        return str(address)


class NoImageStore:
    """Stands where no account is set."""

    def upload(self, picture: Picture, public_id: str) -> StoredImage:
        raise ImageStoreUnavailable("CLOUDINARY_URL is not set")

    def remove(self, public_id: str) -> None:
        raise ImageStoreUnavailable("CLOUDINARY_URL is not set")


def _account(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    cloud = parts.netloc.rpartition("@")[2]
    if parts.scheme != "cloudinary" or not (cloud and parts.username and parts.password):
        raise ValueError("CLOUDINARY_URL must be cloudinary://key:secret@cloud")
    return {"cloud_name": cloud, "api_key": parts.username, "api_secret": parts.password}


def _delivery(url: str | None) -> dict[str, Any]:
    if not url:
        return {"secure": True}
    scheme, _, place = url.rstrip("/").partition("://")
    if scheme == "https":
        return {"secure": True, "secure_distribution": place}
    return {"secure": False, "cname": place}
