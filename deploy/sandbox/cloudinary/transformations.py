"""The part of a delivery URL that says how a picture is to be changed.

c_fill,g_auto,h_300,w_300/f_auto,q_auto
└───── one step ────────┘ └── the next ┘
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.cloudinary.errors import CloudinaryError

CROPS = {
    "scale",
    "fit",
    "limit",
    "fill",
    "lfill",
    "fill_pad",
    "pad",
    "lpad",
    "mpad",
    "thumb",
    "crop",
    "mfit",
    "auto",
}
NEED_AREA = {"crop", "fill", "lfill", "fill_pad", "thumb", "auto"}
FORMATS = {"auto", "jpg", "jpeg", "png", "webp", "avif", "gif"}
GRAVITIES = {
    "auto",
    "center",
    "north",
    "south",
    "east",
    "west",
    "north_east",
    "north_west",
    "south_east",
    "south_west",
    "face",
    "faces",
}
IGNORED = {
    "ar",
    "dpr",
    "b",
    "r",
    "e",
    "a",
    "o",
    "bo",
    "fl",
    "x",
    "y",
    "z",
    "t",
    "l",
    "u",
    "co",
    "d",
    "dn",
    "p",
    "pg",
    "so",
    "eo",
    "du",
    "vc",
    "if",
}
_KEY = re.compile(r"(?:if|[a-z]{1,3})_.+|\$\w+_.+")
_QUALITY = re.compile(r"(?:100|[1-9]?[0-9])|auto(?::(?:best|good|eco|low))?")


@dataclass(frozen=True, slots=True)
class Step:
    """One component. A size below 1 is a fraction of the picture's."""

    width: float | None = None
    height: float | None = None
    crop: str = "scale"
    gravity: str = "center"
    quality: str | None = None
    format: str | None = None
    background: str | None = None
    ignored: Mapping[str, str] = field(default_factory=dict)


def split(segments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The leading segments that are transformations, and the rest: a public id, cut at `v12`."""
    count = 0
    while count < len(segments) - 1 and _is_component(segments[count]):
        count += 1
    rest = list(segments[count:])
    if len(rest) > 1 and re.fullmatch(r"v\d+", rest[0]):
        rest = rest[1:]
    return list(segments[:count]), rest


def parse_chain(text: str) -> list[Step]:
    return [parse(component) for component in text.split("/") if component]


def parse(component: str) -> Step:
    """Refuses what Cloudinary would refuse; what it knows and we do not is ignored."""
    values: dict[str, Any] = {"ignored": {}}
    for pair in component.split(","):
        key, _, value = pair.partition("_")
        try:
            values |= _read(key, value, values["ignored"])
        except ValueError:
            text = f"Invalid transformation component - {pair}"
            raise CloudinaryError(400, text) from None
    step = Step(**values)
    if step.gravity == "auto" and step.crop not in NEED_AREA:
        raise CloudinaryError(
            400, "Use auto gravity only with crop, fill, lfill, fill_pad or thumb"
        )
    if step.gravity in ("face", "faces") and step.crop not in ("fill", "lfill", "thumb", "crop"):
        raise CloudinaryError(400, "Use face gravity only with crop, fill, lfill or thumb")
    return step


def _is_component(segment: str) -> bool:
    return all(
        _KEY.fullmatch(pair) and _known(pair.partition("_")[0]) for pair in segment.split(",")
    )


def _known(key: str) -> bool:
    return key in {"w", "h", "c", "g", "q", "f"} | IGNORED or key.startswith("$")


def _read(key: str, value: str, ignored: dict[str, str]) -> dict[str, Any]:
    match key:
        case "w":
            return {"width": _size(value)}
        case "h":
            return {"height": _size(value)}
        case "c":
            return {"crop": _one_of(value, CROPS)}
        case "g":
            return {"gravity": _one_of(value.partition(":")[0], GRAVITIES)}
        case "q":
            return {"quality": _matching(value, _QUALITY)}
        case "f":
            return {"format": _one_of(value, FORMATS)}
        case "b":
            return {"background": value}
    if not _known(key):
        raise ValueError(key)
    ignored[key] = value
    return {}


def _size(text: str) -> float | None:
    if text == "auto":
        return None
    size = float(text)
    if not 0 < size <= 20_000:
        raise ValueError(text)
    return size


def _one_of(value: str, allowed: set[str]) -> str:
    if value not in allowed:
        raise ValueError(value)
    return value


def _matching(value: str, pattern: re.Pattern[str]) -> str:
    if not pattern.fullmatch(value):
        raise ValueError(value)
    return value
