"""The whole catalogue as a table: out, and back in."""

import csv
import io
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, BinaryIO
from uuid import UUID

from flask import Response, request

from catalog.domain.sheet import COLUMNS, write_line
from catalog.entrypoints.http import presenters
from catalog.entrypoints.http.dependencies import deps
from catalog.entrypoints.http.schemas_of_staff import ImportQuery, ImportSchema
from catalog.entrypoints.http.uploads import form, takes_upload
from catalog.use_cases import importing
from oja_web.auth import caller, requires
from oja_web.blueprint import Blueprint
from oja_web.problems import Problem
from oja_web.strict_json import json_response
from oja_web.throttling import limited

MAX_BYTES = 64 * 1024 * 1024
CHUNK = 256 * 1024
LINES_AT_ONCE = 500

blp = Blueprint(
    "admin-bulk", __name__, url_prefix="/api/admin", description="Many products at once"
)

_BODIES = {
    "text/csv": {"type": "string"},
    "multipart/form-data": form({"file": {"type": "string", "format": "binary"}}, "file"),
}


@blp.post("/products/import")
@requires("products:write")
@limited("uploads")
@takes_upload(_BODIES, max_bytes=MAX_BYTES)
@blp.arguments(ImportQuery, location="query")
@blp.response(202, ImportSchema)
def start_import(query: dict[str, Any]) -> Response:
    """Send a table of products, as comma-separated values in UTF-8, up to 64 MiB and 200,000 lines

    One line per SKU, with the columns of the export; only `sku` must be there, and what a table has
    no column for stays as it is. The table is worked through in the background: lines that are
    wrong are reported, the others land. With `dry_run=true` nothing lands, and `changes` tells what
    would.
    """
    import_id = importing.start_import(
        _pieces(_table()),
        dry_run=query["dry_run"],
        by=f"staff {caller().user_id}",
        uow=deps().unit_of_work(),
    )
    return _shown(import_id, 202, {"Location": f"/api/admin/imports/{import_id}"})


@blp.get("/imports/<uuid:import_id>")
@requires("products:write")
@blp.response(200, ImportSchema)
def show_import(import_id: UUID) -> Response:
    """How far an import is, and the first thousand lines that are wrong"""
    return _shown(import_id)


@blp.get("/products/export")
@requires("products:read")
@blp.response(200, {"type": "string"}, content_type="text/csv")
def export_products() -> Response:
    """Every SKU that is offered, as comma-separated values; import it again and nothing changes

    Amounts are minor units; `initial_stock` is what is on hand now, and counts only where a SKU is
    new. A cell that a spreadsheet would take for a formula has an apostrophe before it.
    """
    headers = {"Content-Disposition": 'attachment; filename="products.csv"'}
    lines = deps().bulk.lines()
    return Response(_export(lines), headers=headers, content_type="text/csv; charset=utf-8")


def _table() -> BinaryIO:
    if request.mimetype == "text/csv":
        return request.stream  # type: ignore[return-value]
    unknown = {*request.files, *request.form} - {"file"}
    if unknown or len(request.files.getlist("file")) != 1:
        wrong = {name: ["Unknown field."] for name in sorted(unknown)} or {
            "file": ["Send one file."]
        }
        raise Problem(422, "invalid", "Send the table, and nothing else.", errors=wrong)
    return request.files["file"].stream  # type: ignore[return-value]


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(CHUNK):
        yield piece


def _export(lines: Iterator[Mapping[str, Any]]) -> Iterator[str]:
    yield _csv([list(COLUMNS)])
    while some := list(islice(lines, LINES_AT_ONCE)):
        yield _csv([write_line(line) for line in some])


def _csv(rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def _shown(import_id: UUID, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return json_response(presenters.import_job(deps().bulk.job(import_id)), status, headers)
