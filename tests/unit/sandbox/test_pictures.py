"""Delivery URLs, and the pictures that come of them."""

import io

import pytest
from PIL import Image

from sandbox.cloudinary.errors import CloudinaryError
from sandbox.cloudinary.pictures import transform
from sandbox.cloudinary.transformations import parse_chain, split


def a_picture(width: int = 80, height: int = 40) -> bytes:
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", (width, height), "blue")
    picture.paste("red", (0, 0, width // 2, height))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("chain", "size"),
    [
        ("w_20", (20, 10)),
        ("h_20", (40, 20)),
        ("w_0.5", (40, 20)),
        ("w_20,h_20", (20, 20)),
        ("c_fit,w_20,h_20", (20, 10)),
        ("c_limit,w_200,h_200", (80, 40)),
        ("c_mfit,w_200,h_200", (200, 100)),
        ("c_fill,w_30,h_30", (30, 30)),
        ("c_fill,g_auto,h_300,w_300", (300, 300)),
        ("c_lfill,w_300,h_300", (40, 40)),
        ("c_pad,w_50,h_50", (50, 50)),
        ("c_thumb,g_face,w_16,h_16", (16, 16)),
        ("c_crop,w_30,h_10", (30, 10)),
        ("c_fill,w_30,h_30/w_15", (15, 15)),
        ("f_auto,q_auto", (80, 40)),
    ],
)
def test_every_crop_mode_gives_its_size(chain: str, size: tuple[int, int]) -> None:
    picture = transform(a_picture(), parse_chain(chain), "png", accept="")

    assert Image.open(io.BytesIO(picture.content)).size == size


@pytest.mark.parametrize(("gravity", "colour"), [("west", (255, 0, 0)), ("east", (0, 0, 255))])
def test_gravity_decides_what_stays(gravity: str, colour: tuple[int, int, int]) -> None:
    steps = parse_chain(f"c_crop,g_{gravity},w_10,h_10")

    picture = transform(a_picture(), steps, "png", accept="")

    assert Image.open(io.BytesIO(picture.content)).convert("RGB").getpixel((5, 5)) == colour


@pytest.mark.parametrize(
    ("accept", "extension"),
    [("image/avif,image/webp", "avif"), ("image/webp", "webp"), ("*/*", "png")],
)
def test_f_auto_gives_the_best_format_that_the_browser_takes(accept: str, extension: str) -> None:
    picture = transform(a_picture(), parse_chain("f_auto"), "jpg", accept)

    assert picture.extension == extension


def test_a_lower_quality_makes_a_smaller_file() -> None:
    noise = io.BytesIO()
    Image.effect_noise((200, 200), 80).save(noise, "PNG")

    low, high = (
        transform(noise.getvalue(), parse_chain(f"q_{q}"), "jpg", "") for q in ("10", "90")
    )

    assert len(low.content) < len(high.content) / 2


@pytest.mark.parametrize(
    ("chain", "message"),
    [
        ("w_abc", "Invalid transformation component - w_abc"),
        ("c_nonsense", "Invalid transformation component - c_nonsense"),
        ("q_500", "Invalid transformation component - q_500"),
        ("c_scale,g_auto", "Use auto gravity only with crop, fill, lfill, fill_pad or thumb"),
    ],
)
def test_an_impossible_transformation_says_why(chain: str, message: str) -> None:
    with pytest.raises(CloudinaryError) as refusal:
        parse_chain(chain)

    assert refusal.value.message == message


@pytest.mark.parametrize(
    ("path", "chain", "name"),
    [
        ("shop/mug-1.jpg", [], "shop/mug-1.jpg"),
        ("v1/shop/mug-1.jpg", [], "shop/mug-1.jpg"),
        ("c_fill,w_30/v17/shop/mug.jpg", ["c_fill,w_30"], "shop/mug.jpg"),
        ("w_30/e_sepia/my_folder/mug", ["w_30", "e_sepia"], "my_folder/mug"),
        ("w_30.jpg", [], "w_30.jpg"),
    ],
)
def test_the_public_id_begins_where_the_transformations_end(
    path: str, chain: list[str], name: str
) -> None:
    found, rest = split(path.split("/"))

    assert (found, "/".join(rest)) == (chain, name)


def test_a_file_that_is_no_picture_is_refused() -> None:
    with pytest.raises(CloudinaryError, match="Invalid image file"):
        transform(b"no picture", [], "jpg", accept="")
