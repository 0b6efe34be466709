"""Looking around in the shop: lists, searches and single products, cold and remembered."""

from contextlib import closing
from urllib.request import urlopen

from stack.benchmarks.bench import Bench
from stack.benchmarks.load import Measured, load, require_wrk
from stack.benchmarks.references import key_reads, static_file
from stack.home import CHECKOUT
from stack.servers import postgres

_CATALOGUE = CHECKOUT / "benchmarks" / "catalogue.sql"
_TABLES = "products, variants, categories, product_images, stock, stock_movements, reservations"
_KEY_READ = "SELECT * FROM products WHERE slug = 'product-' || :id;"

# {n} makes it another question without making it another list.
PAGES = {
    "list": "/api/products?max_price={n}",
    "search": "/api/products?q=basket&in_stock=true&min_rating=1&max_price={n}",
    "detail": "/api/products/product-777?max_price={n}",
}
# A caller with a cookie gets past what the gateway keeps.
_PAST_THE_GATEWAY = {"Cookie": "bench=1"}


def run(bench: Bench) -> None:
    """Metrics end in _cold (nothing is remembered), _app (Redis remembers it, the gateway is
    passed) and _gateway (the gateway has it)."""
    require_wrk()
    dsn = postgres.dsn(bench.stack, "catalog")
    for products in (1000,) if bench.quick else (1000, 100_000):
        fill(bench, products)
        reads = bench.median(
            "Postgres, one product by key",
            lambda seconds: key_reads(dsn, _KEY_READ, seconds=seconds),
        )
        for page in PAGES:
            _measure(bench, page, products, reads)


def fill(bench: Bench, products: int) -> None:
    """Exactly this many products, and nothing remembered of others."""
    with closing(postgres.superuser(bench.stack, postgres.DATABASE)) as database:
        with database, database.cursor() as cursor:
            cursor.execute("SET LOCAL search_path = catalog, public")
            cursor.execute(f"TRUNCATE {_TABLES} CASCADE")
            cursor.execute(_CATALOGUE.read_text().replace(":products", str(products)))
            cursor.execute("INSERT INTO catalogue_changes (part, times) VALUES (0, 1)")
        database.autocommit = True
        with database.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def _measure(bench: Bench, page: str, products: int, reads: Measured) -> None:
    address = bench.stack.public_url.replace("localhost", "127.0.0.1") + PAGES[page]
    same = address.replace("{n}", "1000000000")
    with urlopen(same) as answer, static_file(answer.read()) as file:  # noqa: S310  our own  # nosec B310
        best = bench.median("nginx, a file of that size", lambda s: load(file, seconds=s))
    name = f"{page}_{products}"
    cold = bench.median(
        f"{name}, cold",
        lambda s: load(address, seconds=s, headers=_PAST_THE_GATEWAY, distinct=True),
    )
    _tell(bench, name, "cold", cold, ("postgres_key_read", reads))
    app = bench.median(
        f"{name}, remembered", lambda s: load(same, seconds=s, headers=_PAST_THE_GATEWAY)
    )
    _tell(bench, name, "app", app, ("static_file", best))
    gateway = bench.median(f"{name}, kept by the gateway", lambda s: load(same, seconds=s))
    _tell(bench, name, "gateway", gateway, ("static_file", best))


def _tell(
    bench: Bench, name: str, state: str, found: Measured, reference: tuple[str, Measured]
) -> None:
    label, best = reference
    bench.results.add(f"{name}_{state}", found.per_second, "requests/s", (label, best.per_second))
    p99 = (label, best.p99) if label == "static_file" else None
    bench.results.add(f"{name}_p99_{state}", found.p99, "ms", p99)
