"""Uploaded pictures, taken apart and written anew: what comes out holds pixels and nothing else.

A file is judged by its header before it is decoded. One is decoded at a time, so that memory has a
limit however many people upload.
"""

import io
import struct
import warnings
import zlib
from threading import Lock
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from catalog.use_cases.errors import BadPicture, NotAPicture, TooBusy
from catalog.use_cases.ports import Picture

MAX_SIDE = 10_000
MAX_PIXELS = 25_000_000
STORED_SIDE = 2_048
PATIENCE_SECONDS = 10

_FORMATS = ("JPEG", "PNG", "WEBP")
# Cameras append previews and depth maps to a JPEG: of these the first picture counts.
_EXTENSIONS = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png", "WEBP": "webp"}
_WRITTEN = {
    "jpg": ("JPEG", {"quality": 88, "progressive": True}),
    "png": ("PNG", {"compress_level": 6}),
    "webp": ("WEBP", {"quality": 88, "method": 2}),
}
_END_OF_PNG = b"IEND\xaeB`\x82"
# Whatever a decoder trips over is the file's fault.
_BROKEN = (OSError, ValueError, SyntaxError, IndexError, KeyError, TypeError, MemoryError)
_BROKEN_DEEPLY = (EOFError, OverflowError, ArithmeticError, AssertionError, AttributeError)
_BROKEN_BELOW = (struct.error, zlib.error)
# How a camera was held, by the number that EXIF has for it.
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class PillowPictures:
    def __init__(self) -> None:
        # Our own limits are lower; should one be forgotten, this one is an error and no warning.
        Image.MAX_IMAGE_PIXELS = MAX_PIXELS
        warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
        self._turn = Lock()

    def clean(self, file: BinaryIO) -> Picture:
        if not self._turn.acquire(timeout=PATIENCE_SECONDS):
            raise TooBusy
        try:
            return _cleaned(file)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise BadPicture(_TOO_LARGE) from None
        finally:
            self._turn.release()


_TOO_LARGE = f"is larger than {MAX_SIDE} pixels on a side or {MAX_PIXELS:,} in all"


def _cleaned(file: BinaryIO) -> Picture:
    try:
        with Image.open(file, formats=_FORMATS) as image:
            extension = _EXTENSIONS[image.format or ""]
            _check(image)
            picture = Picture(_encoded(_pixels(image), extension), extension)
            _check_end(file, extension)
            return picture
    except UnidentifiedImageError:
        raise NotAPicture from None
    except (*_BROKEN, *_BROKEN_DEEPLY, *_BROKEN_BELOW):
        raise BadPicture("is broken or incomplete") from None


def _check(image: Image.Image) -> None:
    """By the header alone. Each limit by itself: one side may be small and the other huge."""
    width, height = image.size
    if width < 1 or height < 1:
        raise BadPicture("is empty")
    if width > MAX_SIDE or height > MAX_SIDE or width * height > MAX_PIXELS:
        raise BadPicture(_TOO_LARGE)
    if image.format in ("PNG", "WEBP") and getattr(image, "n_frames", 1) > 1:
        raise BadPicture("is animated")


def _check_end(file: BinaryIO, extension: str) -> None:
    # Pillow is content with a PNG that ends after its pixels; for the others it looks itself.
    file.seek(0)
    if extension == "png" and _END_OF_PNG not in file.read():
        raise BadPicture("is broken or incomplete")


def _pixels(image: Image.Image) -> Image.Image:
    """Decoded, small enough for a shop, upright, in a mode that every browser shows."""
    image.draft("RGB", (STORED_SIDE, STORED_SIDE))  # a JPEG may be decoded at a fraction
    image.load()
    see_through = image.has_transparency_data
    if image.mode not in ("L", "RGB", "RGBA", "CMYK"):
        image = image.convert("RGBA" if see_through else "RGB")
    image.thumbnail((STORED_SIDE, STORED_SIDE), Image.Resampling.LANCZOS)
    return _upright(image).convert("RGBA" if see_through else "RGB")


def _upright(image: Image.Image) -> Image.Image:
    # Not ImageOps.exif_transpose: it writes the EXIF again, of which not all can be written.
    how = _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    return image if how is None else image.transpose(how)


def _encoded(pixels: Image.Image, extension: str) -> bytes:
    # On a new canvas, because Pillow writes back what it has read: comments, profiles, EXIF.
    canvas = Image.new(pixels.mode, pixels.size)
    canvas.paste(pixels)
    out = io.BytesIO()
    name, options = _WRITTEN[extension]
    canvas.save(out, name, **options)
    return out.getvalue()
