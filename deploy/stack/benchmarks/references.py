"""What the machine can do at best: nginx with a file, Postgres with a primary key."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2

from stack import binaries
from stack.benchmarks.load import CONNECTIONS, Measured
from stack.failure import Failure
from stack.ports import HOST, free_port
from stack.readiness import wait_until

_CONFIGURATION = """\
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path {folder}/temp;
    proxy_temp_path {folder}/temp;
    fastcgi_temp_path {folder}/temp;
    uwsgi_temp_path {folder}/temp;
    scgi_temp_path {folder}/temp;
    access_log {folder}/access.log;
    sendfile on;
    keepalive_requests 100000;
    default_type application/json;
    server {{
        listen {host}:{port};
        root {folder}/files;
    }}
}}
"""


_BENCHMARK_TABLES = """
    CREATE TABLE benchmark_rows AS
        SELECT id, 0 AS n, repeat('x', 500) AS words FROM generate_series(1, 10000) AS id;
    ALTER TABLE benchmark_rows ADD PRIMARY KEY (id);
    CREATE TABLE benchmark_log (id bigserial PRIMARY KEY, words text NOT NULL)
"""


_READ = "SELECT words FROM benchmark_rows WHERE id = :id;\n"
_TRANSACTION = """\
\\set id random(1, 10000)
BEGIN;
:reads
INSERT INTO benchmark_log (words) VALUES (repeat('x', 500));
UPDATE benchmark_rows SET n = n + 1 WHERE id = :id;
COMMIT;
"""


@contextmanager
def static_file(content: bytes) -> Iterator[str]:
    """The address of a file with this content, at an nginx that does nothing else."""
    with tempfile.TemporaryDirectory(prefix="oja-bench-") as name:
        folder, port = Path(name), free_port()
        folder.chmod(0o755)
        (folder / "files").mkdir()
        (folder / "files" / "answer.json").write_bytes(content)
        file = folder / "nginx.conf"
        file.write_text(_CONFIGURATION.format(folder=folder, host=HOST, port=port))
        nginx = binaries.require(binaries.NGINX).path
        command = [str(nginx), "-p", str(folder), "-c", str(file), "-e", "stderr"]
        server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            if not wait_until((folder / "nginx.pid").exists, within=5, every=0.05):
                raise Failure("The nginx for the reference did not start.")
            yield f"http://{HOST}:{port}/answer.json"
        finally:
            server.terminate()
            server.wait(10)


def key_reads(dsn: str, statement: str, *, seconds: int) -> Measured:
    """How often Postgres answers this prepared statement, in which :id goes from 1 to 1,000."""
    return _run_pgbench(dsn, f"\\set id random(1, 1000)\n{statement}\n", seconds)


def transactions(dsn: str, statements: int, *, seconds: int) -> Measured:
    """How many transactions of so many statements Postgres commits: one inserts, one updates, the
    others read, a row each, by its key. Makes and drops tables of its own."""
    script = _TRANSACTION.replace(":reads", _READ * max(0, statements - 2))
    try:
        _psql(dsn, _BENCHMARK_TABLES)
        return _run_pgbench(dsn, script, seconds)
    finally:
        _psql(dsn, "DROP TABLE IF EXISTS benchmark_rows, benchmark_log")


def _psql(dsn: str, statements: str) -> None:
    with closing(psycopg2.connect(dsn)) as database, database, database.cursor() as cursor:
        cursor.execute(statements)


def _run_pgbench(dsn: str, script: str, seconds: int) -> Measured:
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        command = [_pgbench(), "-n", "-M", "prepared", "-c", str(CONNECTIONS), "-j", "1"]
        command += ["-T", str(seconds), "-f", file.name, dsn]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    latency = re.search(r"latency average = ([\d.]+) ms", done.stdout)
    if done.returncode or not found or not latency:
        raise Failure(f"pgbench failed: {done.stdout}{done.stderr}")
    return Measured(float(found[1]), float(latency[1]))


def _pgbench() -> str:
    beside = binaries.require(binaries.POSTGRES).folder / "pgbench"
    found = str(beside) if beside.exists() else shutil.which("pgbench")
    if not found:
        raise Failure("pgbench is missing; it comes with PostgreSQL's server.")
    return found
