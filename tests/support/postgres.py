"""Postgres for integration tests: one private server per test process, one fresh database per call.

    with scratch_database() as url:         # postgresql+psycopg2://... of an empty database
        engine = create_engine(url)
        ...
        empty(url)                          # its tables stay, for the next test

The server starts at the first call and ends with the process. With OJA_TEST_STACK set (a stack.json
with "postgres": {"superuser_dsn": ...}) the databases are made on that server instead.
"""

import atexit
import contextlib
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql
from sqlalchemy import URL, make_url

START_TIMEOUT_SECONDS = 30
# A server that lives for one test run may forget everything in a power cut.
FAST_AND_FORGETFUL = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
# A few rows in many tables: deleting them takes a tenth of the time that TRUNCATE takes.
_EMPTY = """
    SET LOCAL lock_timeout = '20s';
    DO $$ DECLARE name text; BEGIN
        SET LOCAL session_replication_role = replica;
        FOR name IN SELECT quote_ident(relname) FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
                AND NOT relispartition AND relname <> ALL (%s)
        LOOP EXECUTE 'DELETE FROM ' || name; END LOOP;
    END $$
"""


@contextlib.contextmanager
def scratch_database() -> Iterator[str]:
    """Yield the URL of a new, empty database owned by a superuser; drop it at the end."""
    server = server_url()
    name = f"scratch_{uuid.uuid4().hex}"
    _run(server, "CREATE DATABASE {}", name)
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        # FORCE: a test that failed may have left a connection open.
        _run(server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def empty(url: str, *, keep: Sequence[str] = ()) -> None:
    """Delete all rows but those of the tables in `keep`, and what alembic knows."""
    connection = psycopg2.connect(
        make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    )
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(_EMPTY, (["alembic_version", *keep],))
    finally:
        connection.close()


@cache
def server_url() -> URL:
    """The server of this process as superuser, database `postgres`; started when there is none."""
    stack = os.environ.get("OJA_TEST_STACK")
    if stack:
        dsn = json.loads(Path(stack).read_text())["postgres"]["superuser_dsn"]
        return make_url(dsn).set(drivername="postgresql+psycopg2", database="postgres")
    return _start_private_server()


def _start_private_server() -> URL:
    folder = Path(tempfile.mkdtemp(prefix="oja-postgres-"))
    account = _unprivileged_account()
    if account:
        os.chown(folder, account.pw_uid, account.pw_gid)
    data = folder / "data"
    _as(account, folder, "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
        "--locale=C.UTF-8", "--no-sync")  # fmt: skip
    for _ in range(3):
        port = _free_port()
        server = _launch(account, folder, data, port)
        if _answers(server, port):
            return URL.create(
                "postgresql+psycopg2", "postgres", host="127.0.0.1", port=port, database="postgres"
            )
    log = (folder / "log").read_text(errors="replace")
    raise RuntimeError(f"the private Postgres did not start:\n{log[-3000:]}")


def _launch(
    account: pwd.struct_passwd | None, folder: Path, data: Path, port: int
) -> subprocess.Popen[bytes]:
    settings = [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        f"port={port}",
        "max_connections=200",
        *FAST_AND_FORGETFUL,
    ]
    options = [part for setting in settings for part in ("-c", setting)]
    with (folder / "log").open("ab") as log:
        server = subprocess.Popen(
            [_binary("postgres"), "-D", str(data), *options],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=folder,
            start_new_session=True, **_identity(account),
        )  # fmt: skip
    # exit hooks run last in, first out: the guard ends when the server is already gone
    atexit.register(_end_guard, _guard(server, folder))
    atexit.register(_stop, server)
    return server


def _guard(server: subprocess.Popen[bytes], folder: Path) -> subprocess.Popen[bytes]:
    """Clean up though this process be killed: its end closes the pipe that the guard reads."""
    script = (
        'read _; kill -INT "$1" 2>/dev/null; n=0;'
        ' while kill -0 "$1" 2>/dev/null && [ $n -lt 50 ]; do n=$((n+1)); sleep 0.1; done;'
        ' rm -rf "$2"'
    )
    return subprocess.Popen(
        ["/bin/sh", "-c", script, "guard", str(server.pid), str(folder)],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )


def _end_guard(guard: subprocess.Popen[bytes]) -> None:
    guard.communicate(timeout=10)


def _stop(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is None:
        server.send_signal(signal.SIGINT)  # "fast" shutdown, which does not wait for clients
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(10)
        if server.poll() is None:
            server.kill()
            server.wait(10)


def _answers(server: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until the server accepts queries; False when it died (its port was taken meanwhile)."""
    until = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            psycopg2.connect(
                host="127.0.0.1", port=port, user="postgres", dbname="postgres", connect_timeout=2
            ).close()
        except psycopg2.OperationalError:
            time.sleep(0.05)
        else:
            return server.poll() is None
    _stop(server)
    return False


def _run(server: URL, statement: str, database: str) -> None:
    connection = psycopg2.connect(
        server.set(drivername="postgresql").render_as_string(hide_password=False)
    )
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL(statement).format(sql.Identifier(database)))
    finally:
        connection.close()


def _as(account: pwd.struct_passwd | None, folder: Path, program: str, *args: str | Path) -> None:
    done = subprocess.run(
        [_binary(program), *map(str, args)],
        capture_output=True, text=True, cwd=folder, check=False, **_identity(account),
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{program} failed:\n{done.stdout}\n{done.stderr}")


def _identity(account: pwd.struct_passwd | None) -> dict[str, Any]:
    environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    if account is None:
        return {"env": environment}
    return {"env": environment, "user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _unprivileged_account() -> pwd.struct_passwd | None:
    """Whom to run the server as: Postgres refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("running as root, and there is neither a user postgres nor nobody")


def _binary(program: str) -> str:
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / program).exists():
            return str(folder / program)
    found = shutil.which(program)
    if found is None:
        raise RuntimeError(f"no {program}: install PostgreSQL's server")
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
