"""The schema in code and in the database are one; the audit log is only ever added to."""

import uuid

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from identity.adapters.tables import Base
from identity.bootstrap import MIGRATIONS
from oja_events.migrating import migrate
from tests.integration.identity.conftest import Database
from tests.support.postgres import scratch_database

ROLES = {
    "customer": set(),
    "support": {"orders:read", "users:read", "notifications:read", "payments:read",
                "products:read", "inventory:read", "alerts:read"},
    "catalog_manager": {"products:read", "products:write", "inventory:read", "inventory:write",
                        "reviews:write", "alerts:read"},
    "order_manager": {"orders:read", "orders:write", "payments:read", "payments:refund",
                      "inventory:read", "products:read", "notifications:read", "alerts:read"},
}  # fmt: skip
BUILT_IN = "SELECT * FROM roles WHERE built_in"


def test_tables_and_migrations_agree(database: Database):
    own = set(Base.metadata.tables)
    # What SQLAlchemy asks about tables is not meant to be prepared.
    with database.engine.connect().execution_options(prepared=False) as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_name": lambda name, kind, _: kind != "table" or name in own},
        )
        assert compare_metadata(context, Base.metadata) == []


def test_the_built_in_roles_are_there(database: Database):
    granted: dict[str, set[str]] = {row.name: set() for row in database.rows(BUILT_IN)}
    for row in database.rows(
        f"SELECT g.* FROM role_permissions g JOIN ({BUILT_IN}) r ON name = role"
    ):
        granted[row.role].add(row.permission)

    everything = {row.name for row in database.rows("TABLE permissions")}
    assert granted == ROLES | {"admin": everything}
    assert len(everything) == 17


def test_s12_no_account_is_there_before_somebody_makes_one():
    with scratch_database() as url:
        migrate("identity", MIGRATIONS, url)
        engine = create_engine(url)
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM users")).scalar_one() == 0
        engine.dispose()


@pytest.fixture
def service_url():
    """A database in which the role `identity` exists, with the rights that it gets by default."""
    with scratch_database() as url:
        engine = create_engine(url)
        with engine.begin() as connection:
            known = connection.execute(text("SELECT FROM pg_roles WHERE rolname = 'identity'"))
            created = not known.all()
            if created:
                connection.execute(text("CREATE ROLE identity"))
            connection.execute(
                text(
                    "ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES"
                    " TO identity"
                )
            )
            connection.execute(
                text("ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO identity")
            )
        migrate("identity", MIGRATIONS, url)
        yield url
        # A role that was there before belongs to a running shop, whose rights would be dropped too.
        if created:
            with engine.begin() as connection:
                connection.execute(text("DROP OWNED BY identity"))
                connection.execute(text("DROP ROLE identity"))
        engine.dispose()


@pytest.mark.parametrize(
    "forbidden",
    ["UPDATE audit_log SET action = 'nothing'", "DELETE FROM audit_log", "TRUNCATE audit_log"],
)
def test_s32_the_service_may_add_to_the_audit_log_and_nothing_else(
    service_url: str, forbidden: str
):
    engine = create_engine(service_url)
    with engine.connect() as connection:
        connection.execute(text("SET ROLE identity"))
        connection.execute(
            text("INSERT INTO audit_log (at, action, detail) VALUES (now(), 'x', '{}')")
        )
        connection.commit()
        connection.execute(text("SET ROLE identity"))
        with pytest.raises(ProgrammingError, match="permission denied"):
            connection.execute(text(forbidden))
    engine.dispose()


def test_migrating_twice_changes_nothing(settings):
    migrate("identity", MIGRATIONS, settings.database_url)


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("UPDATE users SET email_canonical = upper(email_canonical)", "users_email_canonical"),
        ("UPDATE users SET email_canonical = 'one@example.com'", "users_email_canonical_key"),
        ("INSERT INTO user_roles SELECT id, 'owner' FROM users", "user_roles_role_fkey"),
        ("UPDATE refresh_tokens SET digest = 'short'", "refresh_tokens_are_digests"),
    ],
)
def test_the_database_repeats_the_rules(database: Database, ada, zoe, statement, constraint):
    with pytest.raises(IntegrityError, match=constraint):
        database.change(statement)


def test_a_user_has_one_default_address(database: Database, ada):
    address = (
        "INSERT INTO addresses (id, user_id, full_name, phone, line1, city, state, country,"
        " is_default) VALUES (:id, :user, 'A', '+2348031234567', '1', 'L', 'L', 'NG', true)"
    )
    database.change(address, id=uuid.uuid4(), user=ada.id)
    with pytest.raises(IntegrityError, match="addresses_one_default"):
        database.change(address, id=uuid.uuid4(), user=ada.id)
