"""The catalogue as a table: one line per SKU, the cells of its product repeated on each.

    product,sku,name,description,category,tags,featured,status,options,price_amount,...
    bolga-basket,BOLGA-S,Bolga basket,...,baskets,straw|large,true,published,size=S,950000,...

Amounts are whole minor units. In `tags` and `options` a backslash takes the meaning from the next
character. A cell that a spreadsheet would take for a formula is written with an apostrophe before
it, which is taken away when it is read; so whatever is exported is read as what it was.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog.domain.product import ProductStatus

MOST_UNITS = 10**9
MOST_AMOUNT = 10**15

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_MARKED = re.compile(r"'+[=+\-@\t\r]")
_SKU = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_DIGITS = re.compile(r"[0-9]{1,16}", re.ASCII)
_FORBIDDEN = re.compile(
    "(?![\n\t])[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)


class BadCell(Exception):
    """The cell is not what its column holds; the message says what it must be."""


class BadTable(Exception):
    """The table as a whole cannot be read."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(f"{column}: {reason}")
        self.column, self.reason = column, reason
        self.errors = {f"file.{column}": [reason]}


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a line, or a cell of it, is left out. Line 1 is the header."""

    line: int
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A line that can be read. `cells` has the columns of the table, and no others."""

    line: int
    sku: str
    cells: Mapping[str, Any] = field(repr=False)


def read_header(names: Sequence[str]) -> list[str]:
    """The columns of a table; raises BadTable for one that is unknown, repeated or missing."""
    columns = [name.strip().lower() for name in names]
    for column in columns:
        if column not in COLUMNS:
            raise BadTable(column or "header", f"is no column; there are {', '.join(COLUMNS)}")
        if columns.count(column) > 1:
            raise BadTable(column, "is there twice")
    if "sku" not in columns:
        raise BadTable("sku", "is missing")
    return columns


def read_line(line: int, columns: Sequence[str], cells: Sequence[str]) -> Entry | list[Fault]:
    """What the line says, or everything that is wrong with it."""
    if len(cells) != len(columns):
        return [Fault(line, "line", f"has {len(cells)} cells instead of {len(columns)}")]
    values: dict[str, Any] = {}
    faults = []
    for column, cell in zip(columns, cells, strict=True):
        try:
            values[column] = COLUMNS[column].read(cell)
        except BadCell as error:
            faults.append(Fault(line, column, str(error)))
    return faults or Entry(line, values["sku"], values)


def write_line(values: Mapping[str, Any]) -> list[str]:
    """The cells of one SKU, in the order of COLUMNS."""
    return [COLUMNS[column].write(values[column]) for column in COLUMNS]


def guarded(cell: str) -> str:
    """The cell as no spreadsheet takes it for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """What `guarded` was given."""
    return cell[1:] if _MARKED.match(cell) else cell


@dataclass(frozen=True, slots=True)
class Column:
    read: Callable[[str], Any]
    write: Callable[[Any], str]


def _text(longest: int, **rules: bool) -> Callable[[str], str]:
    """A cell that is text as a whole."""
    read = _words(longest, **rules)
    return lambda cell: read(unguarded(cell))


def _words(longest: int, *, required: bool = False, one_line: bool = True) -> Callable[[str], str]:
    def read(cell: str) -> str:
        text = unicodedata.normalize("NFC", cell.replace("\r\n", "\n")).strip()
        if required and not text:
            raise BadCell("is required")
        if len(text) > longest:
            raise BadCell(f"is longer than {longest} characters")
        if _FORBIDDEN.search(text) or (one_line and re.search("[\n\t]", text)):
            raise BadCell("contains characters that are not allowed")
        return text

    return read


def _matching(pattern: re.Pattern[str], longest: int, what: str) -> Callable[[str], str]:
    def read(cell: str) -> str:
        text = unguarded(cell).strip()
        if len(text) > longest or not pattern.fullmatch(text):
            raise BadCell(what)
        return text

    return read


def _optional(read: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda cell: read(cell) if cell.strip() else None


def _number(most: int) -> Callable[[str], int]:
    def read(cell: str) -> int:
        text = unguarded(cell).strip()
        if not _DIGITS.fullmatch(text) or int(text) > most:
            raise BadCell(f"must be a whole number from 0 to {most}")
        return int(text)

    return read


def _boolean(cell: str) -> bool:
    match cell.strip().lower():
        case "true":
            return True
        case "false" | "":
            return False
    raise BadCell("must be true or false")


def _status(cell: str) -> ProductStatus:
    try:
        return ProductStatus(cell.strip().lower())
    except ValueError:
        raise BadCell("must be draft, published or archived") from None


def _tags(cell: str) -> tuple[str, ...]:
    read = _words(50, required=True)
    tags = tuple(dict.fromkeys(read(tag) for tag in _split(unguarded(cell), "|")))
    if len(tags) > 20:
        raise BadCell("has more than 20 tags")
    return tags


def _options(cell: str) -> dict[str, str]:
    name, value = _words(50, required=True), _words(100, required=True)
    options = {}
    for pair in _split(unguarded(cell), "|", keep=True):
        parts = _split(pair, "=")
        if len(parts) != 2:
            raise BadCell("must look like size=M|colour=red")
        options[name(parts[0])] = value(parts[1])
    if len(options) > 5:
        raise BadCell("has more than 5 options")
    return options


def _split(text: str, separator: str, *, keep: bool = False) -> list[str]:
    """At every separator that has no backslash before it; with `keep`, backslashes stay."""
    parts = [""]
    signs = iter(text if text.strip() else "")
    for sign in signs:
        if sign == "\\":
            parts[-1] += (sign if keep else "") + next(signs, "")
        elif sign == separator:
            parts.append("")
        else:
            parts[-1] += sign
    return parts if text.strip() else []


def _escaped(text: str) -> str:
    return re.sub(r"([\\|=])", r"\\\1", text)


def _write_text(value: str | None) -> str:
    return guarded(value or "")


def _write_number(value: int | None) -> str:
    return "" if value is None else str(value)


def _write_tags(tags: Iterable[str]) -> str:
    return guarded("|".join(re.sub(r"([\\|])", r"\\\1", tag) for tag in tags))


def _write_options(options: Mapping[str, str]) -> str:
    pairs = (f"{_escaped(name)}={_escaped(value)}" for name, value in sorted(options.items()))
    return guarded("|".join(pairs))


_SKU_RULE = "must be up to 64 letters, digits, dots, hyphens, underscores"
_SLUG_RULE = "must be lower-case words joined by hyphens"

COLUMNS: dict[str, Column] = {
    "product": Column(_optional(_matching(_SLUG, 100, _SLUG_RULE)), _write_text),
    "sku": Column(_matching(_SKU, 64, _SKU_RULE), _write_text),
    "name": Column(_text(200, required=True), _write_text),
    "description": Column(_text(20_000, one_line=False), _write_text),
    "category": Column(_optional(_matching(_SLUG, 100, _SLUG_RULE)), _write_text),
    "tags": Column(_tags, _write_tags),
    "featured": Column(_boolean, lambda value: "true" if value else "false"),
    "status": Column(_status, str),
    "options": Column(_options, _write_options),
    "price_amount": Column(_number(MOST_AMOUNT), _write_number),
    "compare_at_amount": Column(_optional(_number(MOST_AMOUNT)), _write_number),
    "currency": Column(_matching(re.compile("[A-Z]{3}"), 3, "must be an ISO 4217 code"), str),
    "initial_stock": Column(_optional(_number(MOST_UNITS)), _write_number),
    "low_stock_threshold": Column(_optional(_number(MOST_UNITS)), _write_number),
}
OF_THE_PRODUCT = ("name", "description", "category", "tags", "featured", "status")
