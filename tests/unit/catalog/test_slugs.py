import pytest

from catalog.domain.slugs import MAX_LENGTH, slugify


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Ankara wax print, six yards", "ankara-wax-print-six-yards"),
        ("Àdìrẹ cloth", "adire-cloth"),
        ("Aṣọ òkè", "aso-oke"),
        ("Ɓangaren ɗaki", "bangaren-daki"),
        ("Mama's  soup!", "mamas-soup"),
        ("--- 5% ---", "5"),
        ("ኢትዮጵያ", "product"),
        ("../../etc/passwd", "etc-passwd"),
    ],
)
def test_a_slug_is_made_of_plain_words(name, slug):
    assert slugify(name, "product") == slug


def test_a_long_name_has_a_slug_of_bounded_length():
    assert len(slugify("word " * 100, "product")) <= MAX_LENGTH
