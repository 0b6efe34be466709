"""Postgres: one database, a schema and two roles per service."""

import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection

from stack import binaries
from stack.binaries import Binary
from stack.context import Stack
from stack.failure import Failure
from stack.home import write_private
from stack.ports import HOST
from stack.program import Program
from stack.services import SERVICES

SUPERUSER = "postgres"
# Reads what an audit compares, in all schemas, and writes nothing.
AUDITOR = "auditor"
DATABASE = "oja"
EXTENSIONS = ("pg_trgm", "unaccent")

# For a laptop. What keeps data safe (fsync, synchronous_commit, full_page_writes) stays on.
_SETTINGS = {
    "listen_addresses": HOST,
    # The path of a socket may be too long in a deep checkout, and nobody needs one.
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "work_mem": "8MB",
    "max_wal_size": "512MB",
    "log_line_prefix": "%m [%p] %u ",
    # What customers wrote stands in the detail of an error and in its statement.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "lock_timeout": "0",
    "timezone": "UTC",
}


def program(stack: Stack) -> Program:
    data = _data(stack)
    settings = _SETTINGS | {"port": str(stack.ports["postgres"])}
    options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    return Program(
        name="postgres",
        service="postgres",
        role="server",
        command=(str(_binary(stack).path), "-D", str(data), *options),
        stage=20,
        port=stack.ports["postgres"],
        ready="postgres",
        stop_signal="INT",
        orphan_signal="INT",
        lock_file=str(data / "postmaster.pid"),
        folder=str(data),
    )


def prepare(stack: Stack) -> None:
    """Create the cluster, once. A half-made one of an interrupted run is thrown away."""
    data = _data(stack)
    if data.exists():
        return
    unfinished = data.with_name("postgres.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    stack.account.own(unfinished)
    _initdb(stack, unfinished)
    unfinished.rename(data)


def ready(stack: Stack) -> bool:
    try:
        superuser(stack, "postgres").close()
    except psycopg2.OperationalError:
        return False
    return True


def provision(stack: Stack) -> None:
    """Make the database, extensions, schemas and roles; again and again with the same result."""
    with closing(superuser(stack, "postgres")) as server:
        server.autocommit = True
        for service in SERVICES:
            _role(server, stack, service)
            _role(server, stack, f"{service}_owner")
        _role(server, stack, AUDITOR)
        _database(server)
    with closing(superuser(stack, DATABASE)) as database, database:
        _extensions(database)
        for service in SERVICES:
            _schema(database, service)
            _let_audit(database, service)


def superuser_dsn(stack: Stack) -> str:
    """A libpq URL of the database, for tests and for whoever repairs something."""
    return dsn(stack, SUPERUSER)


def dsn(stack: Stack, role: str) -> str:
    return (
        f"postgresql://{role}:{password(stack, role)}"
        f"@{stack.host('postgres')}:{stack.ports['postgres']}/{DATABASE}"
    )


def superuser(stack: Stack, database: str) -> connection:
    return psycopg2.connect(
        host=stack.host("postgres"),
        port=stack.ports["postgres"],
        user=SUPERUSER,
        password=password(stack, SUPERUSER),
        dbname=database,
        connect_timeout=5,
    )


def password(stack: Stack, role: str) -> str:
    return stack.credentials.password(f"database-{role}")


def _data(stack: Stack) -> Path:
    return stack.home.data / "postgres"


def _binary(stack: Stack) -> Binary:
    """The program of the version that made the data, if there is data."""
    made_by = _data(stack) / "PG_VERSION"
    if not made_by.exists():
        return binaries.require(binaries.POSTGRES)
    major = int(made_by.read_text())
    for binary in binaries.all_of(binaries.POSTGRES):
        if binary.version[0] == major:
            return binary
    raise Failure(
        f"The data in {_data(stack)} was made by Postgres {major}, which is not installed any more;"
        " install it, or start anew with `./oja reset`."
    )


def _initdb(stack: Stack, data: Path) -> None:
    password_file = data.with_name("postgres.password")
    write_private(password_file, password(stack, SUPERUSER))
    stack.account.give(password_file)
    command = [*stack.account.prefix, str(_binary(stack).folder / "initdb"), "-D", str(data)]
    command += ["-U", SUPERUSER, "-A", "scram-sha-256", f"--pwfile={password_file}"]
    command += ["-E", "UTF8", "--locale=C.UTF-8", "--data-checksums"]
    log = stack.home.log / "initdb.log"
    try:
        with log.open("wb") as out:
            done = subprocess.run(command, stdout=out, stderr=out, cwd=data, check=False)
    finally:
        password_file.unlink()
    if done.returncode:
        raise Failure("Postgres could not create its data folder.", log=log)


def _role(server: connection, stack: Stack, role: str) -> None:
    with server.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,))
        verb = "ALTER" if cursor.fetchone() else "CREATE"
        statement = sql.SQL(verb + " ROLE {} LOGIN PASSWORD {}")
        cursor.execute(statement.format(sql.Identifier(role), sql.Literal(password(stack, role))))


def _database(server: connection) -> None:
    with server.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
        if not cursor.fetchone():
            cursor.execute(f"CREATE DATABASE {DATABASE}")
        cursor.execute(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC")


def _extensions(database: connection) -> None:
    with database.cursor() as cursor:
        cursor.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        for extension in EXTENSIONS:
            cursor.execute(f"CREATE EXTENSION IF NOT EXISTS {extension} SCHEMA public")


def _schema(database: connection, service: str) -> None:
    """The owner alters it (migrations); the service itself only reads and writes rows."""
    names = {"s": sql.Identifier(service), "owner": sql.Identifier(f"{service}_owner")}
    statements = (
        "GRANT CONNECT ON DATABASE oja TO {s}, {owner}",
        "CREATE SCHEMA IF NOT EXISTS {s} AUTHORIZATION {owner}",
        "GRANT USAGE ON SCHEMA {s} TO {s}",
        "ALTER ROLE {s} IN DATABASE oja SET search_path = {s}, public",
        "ALTER ROLE {owner} IN DATABASE oja SET search_path = {s}, public",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {s}"
        " GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {s}",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {s} GRANT USAGE ON SEQUENCES TO {s}",
    )
    with database.cursor() as cursor:
        for statement in statements:
            cursor.execute(sql.SQL(statement).format(**names))


def _let_audit(database: connection, service: str) -> None:
    """Of identity the migrations show the tables for events alone: passwords are nobody's."""
    names = {
        "s": sql.Identifier(service),
        "owner": sql.Identifier(f"{service}_owner"),
        "auditor": sql.Identifier(AUDITOR),
    }
    statements = [
        "GRANT CONNECT ON DATABASE oja TO {auditor}",
        "ALTER ROLE {auditor} IN DATABASE oja SET default_transaction_read_only = on",
        "GRANT USAGE ON SCHEMA {s} TO {auditor}",
    ]
    if service != "identity":
        statements += [
            "GRANT SELECT ON ALL TABLES IN SCHEMA {s} TO {auditor}",
            "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {s}"
            " GRANT SELECT ON TABLES TO {auditor}",
        ]
    with database.cursor() as cursor:
        for statement in statements:
            cursor.execute(sql.SQL(statement).format(**names))
