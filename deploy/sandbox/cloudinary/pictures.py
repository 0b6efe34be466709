"""Pictures, changed as a chain of transformations says."""

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageColor, UnidentifiedImageError

from sandbox.cloudinary.errors import CloudinaryError
from sandbox.cloudinary.transformations import Step

PILLOW_NAMES = {"jpg": "JPEG", "jpeg": "JPEG", "png": "PNG", "webp": "WEBP", "avif": "AVIF"}
QUALITIES = {"auto:best": 90, "auto": 80, "auto:good": 80, "auto:eco": 65, "auto:low": 50}
_SIDES = {"west": 0.0, "east": 1.0, "north": 0.0, "south": 1.0}


@dataclass(frozen=True, slots=True)
class Picture:
    content: bytes
    extension: str
    width: int
    height: int


def open_picture(content: bytes) -> Image.Image:
    """A decoded picture, or the refusal of what is none (or would fill the memory)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(content))
            picture.load()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Warning) as error:
        raise CloudinaryError(400, "Invalid image file") from error
    return picture


def transform(content: bytes, steps: Sequence[Step], extension: str, accept: str) -> Picture:
    """`extension` is what the URL ends in; `f_` wins over it. `accept` decides about f_auto."""
    wanted = next((step.format for step in reversed(steps) if step.format), None)
    quality = next((step.quality for step in reversed(steps) if step.quality), None)
    picture = open_picture(content)
    original = {"jpeg": "jpg"}.get(str(picture.format).lower(), str(picture.format).lower())
    for step in steps:
        picture = resize(picture, step)
    target = _negotiated(accept, original) if wanted == "auto" else wanted or extension or original
    if target == "jpeg":
        target = "jpg"
    encoded = _encode(picture, target, quality)
    return Picture(encoded, target, picture.width, picture.height)


def resize(picture: Image.Image, step: Step) -> Image.Image:
    """One step of a chain."""
    width, height = _target(picture, step)
    if step.width is None and step.height is None:
        return picture
    match step.crop:
        case "scale":
            return picture.resize((width, height))
        case "crop":
            return _cut(picture, min(width, picture.width), min(height, picture.height), step)
        case "fit" | "limit" | "mfit":
            return _fitted(picture, width, height, step.crop)
        case "pad" | "lpad" | "mpad":
            return _padded(_fitted(picture, width, height, _PAD[step.crop]), width, height, step)
    return _filled(picture, width, height, step)


_PAD = {"pad": "fit", "lpad": "limit", "mpad": "limit"}


def _target(picture: Image.Image, step: Step) -> tuple[int, int]:
    """The wished size in pixels; a missing side follows the other one."""
    wide = _pixels(step.width, picture.width)
    high = _pixels(step.height, picture.height)
    if wide and high:
        return wide, high
    if step.crop in ("crop", "fill", "lfill", "thumb", "fill_pad", "auto") and (wide or high):
        return wide or picture.width, high or picture.height
    if wide:
        return wide, max(1, round(picture.height * wide / picture.width))
    if high:
        return max(1, round(picture.width * high / picture.height)), high
    return picture.size


def _pixels(size: float | None, full: int) -> int:
    if size is None:
        return 0
    return max(1, round(size * full if size < 1 else size))


def _fitted(picture: Image.Image, width: int, height: int, crop: str) -> Image.Image:
    ratio = min(width / picture.width, height / picture.height)
    if (crop == "limit" and ratio > 1) or (crop == "mfit" and ratio < 1):
        return picture
    return _scaled(picture, ratio)


def _filled(picture: Image.Image, width: int, height: int, step: Step) -> Image.Image:
    if step.crop == "lfill":  # never larger than the original
        shrink = min(1.0, picture.width / width, picture.height / height)
        width, height = max(1, round(width * shrink)), max(1, round(height * shrink))
    scaled = _scaled(picture, max(width / picture.width, height / picture.height))
    return _cut(scaled, min(width, scaled.width), min(height, scaled.height), step)


def _padded(picture: Image.Image, width: int, height: int, step: Step) -> Image.Image:
    canvas = Image.new("RGBA", (width, height), _background(step))
    across, down = _place(step.gravity)
    left, top = round((width - picture.width) * across), round((height - picture.height) * down)
    canvas.paste(picture.convert("RGBA"), (left, top))
    return canvas


def _cut(picture: Image.Image, width: int, height: int, step: Step) -> Image.Image:
    across, down = _place(step.gravity)
    left = round((picture.width - width) * across)
    top = round((picture.height - height) * down)
    return picture.crop((left, top, left + width, top + height))


def _place(gravity: str) -> tuple[float, float]:
    """Where to cut, from 0 to 1 across and down; the sandbox looks for no faces."""
    across = down = 0.5
    for side in gravity.split("_"):
        if side in ("west", "east"):
            across = _SIDES[side]
        elif side in ("north", "south"):
            down = _SIDES[side]
    return across, down


def _scaled(picture: Image.Image, ratio: float) -> Image.Image:
    size = max(1, round(picture.width * ratio)), max(1, round(picture.height * ratio))
    mode = "RGBA" if picture.mode in ("P", "LA", "PA") else picture.mode
    return picture.convert(mode).resize(size, Image.Resampling.LANCZOS)


def _background(step: Step) -> tuple[int, ...]:
    if not step.background:
        return (255, 255, 255, 0)
    name = step.background.replace("rgb:", "#")
    try:
        return ImageColor.getrgb(name)
    except ValueError:
        raise CloudinaryError(400, f"Invalid color in transformation: {name}") from None


def _negotiated(accept: str, original: str) -> str:
    for name in ("avif", "webp"):
        if f"image/{name}" in accept:
            return name
    return original if original in ("jpg", "png") else "jpg"


def _encode(picture: Image.Image, extension: str, quality: str | None) -> bytes:
    name = PILLOW_NAMES.get(extension, extension.upper())
    if name == "JPEG" and picture.mode != "RGB":
        picture = _on_white(picture)
    out = io.BytesIO()
    number = QUALITIES.get(quality or "auto") or int(quality or 80)
    try:
        picture.save(out, name, **({} if name in ("PNG", "GIF") else {"quality": number}))
    except (KeyError, OSError, ValueError) as error:
        raise CloudinaryError(400, f"Invalid extension in transformation: {extension}") from error
    return out.getvalue()


def _on_white(picture: Image.Image) -> Image.Image:
    layered = picture.convert("RGBA")
    page = Image.new("RGBA", layered.size, (255, 255, 255, 255))
    page.alpha_composite(layered)
    return page.convert("RGB")
