"""Cells: what is written is read as what it was, and no spreadsheet runs it."""

import csv
import io
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.domain.product import ProductStatus
from catalog.domain.sheet import (
    COLUMNS,
    BadTable,
    Entry,
    guarded,
    read_header,
    read_line,
    unguarded,
    write_line,
)

LINE = {
    "product": "bolga-basket",
    "sku": "BOLGA-S",
    "name": "Bolga basket",
    "description": 'Straw.\nStrong handles, "real" leather',
    "category": "baskets",
    "tags": ("straw", "a|b", "back\\slash", "'=1"),
    "featured": True,
    "status": ProductStatus.PUBLISHED,
    "options": {"size": "S", "a=b": "c|d", "'+x": "'-1"},
    "price_amount": 950_000,
    "compare_at_amount": None,
    "currency": "NGN",
    "initial_stock": 7,
    "low_stock_threshold": 0,
}


def through_a_file(cells):
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    [read] = csv.reader(io.StringIO(out.getvalue(), newline=""))
    return read


def read(**cells):
    entry = read_line(2, list(cells), list(cells.values()))
    return entry.cells if isinstance(entry, Entry) else {each.column: each for each in entry}


def printable(longest):
    letters = st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp", "Cf", "Cn"))
    return (
        st.text(letters, max_size=longest)
        .map(lambda text: " ".join(text.split()))
        .filter(lambda text: text == unicodedata.normalize("NFC", text))
    )


def test_a_line_is_read_as_it_was_written():
    entry = read_line(2, list(COLUMNS), through_a_file(write_line(LINE)))

    assert isinstance(entry, Entry)
    assert entry.cells == LINE


@given(st.text(alphabet="'=+-@\t\rab", max_size=6))
def test_what_is_guarded_is_unguarded_to_what_it_was(text):
    assert unguarded(guarded(text)) == text
    assert not re.match(r"[=+\-@\t\r]", guarded(text))


@given(
    name=printable(20).filter(bool),
    description=printable(30),
    tags=st.lists(printable(10).filter(bool), max_size=3, unique=True),
    options=st.dictionaries(printable(5).filter(bool), printable(5).filter(bool), max_size=3),
)
def test_whatever_a_product_says_survives_the_way_out_and_in(name, description, tags, options):
    line = LINE | {
        "name": name,
        "description": description,
        "tags": tuple(tags),
        "options": options,
    }

    cells = through_a_file(write_line(line))
    entry = read_line(2, list(COLUMNS), cells)

    assert isinstance(entry, Entry)
    assert entry.cells == line
    assert not any(re.match(r"[=+\-@\t\r]", cell) for cell in cells)


@pytest.mark.parametrize(
    "text", ["=1+1", "+234", "-5", "@SUM(A1)", "'=1", "''+x", "'quoted'", "a=b"]
)
def test_s52_a_formula_is_text_on_the_way_out_and_itself_again_on_the_way_in(text):
    [cell] = [write_line(LINE | {"name": text})[2]]

    assert cell[0] not in "=+-@"
    assert read(sku="A", name=cell)["name"] == text


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("sku", ""),
        ("sku", "A B"),
        ("sku", "A" * 65),
        ("name", "  "),
        ("name", "x" * 201),
        ("name", "two\nlines"),
        ("description", "nul\x00"),
        ("description", "x" * 20_001),
        ("category", "No Slug"),
        ("tags", "|".join(map(str, range(21)))),
        ("tags", "a||b"),
        ("featured", "yes"),
        ("status", "sold"),
        ("options", "size"),
        ("options", "=M"),
        ("price_amount", ""),
        ("price_amount", "-1"),
        ("price_amount", "9500.00"),
        ("price_amount", "NaN"),
        ("price_amount", "1e5"),
        ("price_amount", "٣"),
        ("price_amount", "1" + "0" * 16),
        ("price_amount", "1" + "0" * 4000),
        ("currency", "naira"),
        ("initial_stock", "1.5"),
        ("low_stock_threshold", "10000000000"),
    ],
)
def test_a_cell_that_is_wrong_is_named_with_its_line(column, cell):
    [fault] = read(**({"sku": "A"} | {column: cell})).values()

    assert (fault.line, fault.column) == (2, column)


def test_a_line_with_several_faults_names_them_all():
    assert read(sku="", name="", price_amount="x").keys() == {"sku", "name", "price_amount"}


def test_a_line_of_another_length_is_no_line():
    [fault] = read_line(7, ["sku", "name"], ["A"])

    assert (fault.line, fault.column) == (7, "line")


@pytest.mark.parametrize("names", [[], ["name"], ["sku", "colour"], ["sku", "name", "name"], [""]])
def test_a_header_that_is_wrong_is_refused(names):
    with pytest.raises(BadTable):
        read_header(names)


def test_the_case_of_a_header_does_not_matter():
    assert read_header(["SKU", " Name "]) == ["sku", "name"]
