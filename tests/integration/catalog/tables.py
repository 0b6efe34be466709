"""Tables of products as staff send them, and what became of them."""

import csv
import io
from uuid import uuid4

IMPORT, EXPORT = "/api/admin/products/import", "/api/admin/products/export"
HEADER = ["product", "sku", "name", "tags", "status", "options", "price_amount", "initial_stock"]


def csv_of(*rows, header=HEADER):
    out = io.StringIO()
    csv.writer(out).writerows([header, *rows])
    return out.getvalue().encode()


def a_row(sku, name="Stool", product="", amount="1000", options="", **changes):
    row = {
        "product": product,
        "sku": sku,
        "name": name,
        "tags": "wood|low",
        "status": "published",
        "options": options,
        "price_amount": amount,
        "initial_stock": "5",
    }
    return [*(row | changes).values()]


def new_sku():
    return f"CSV-{uuid4().hex[:12]}"


def send(staff, table, query=""):
    return staff.open("POST", IMPORT + query, data=table, content_type="text/csv")


def counts(job):
    return tuple(job[name] for name in ("created", "updated", "unchanged", "failed"))
