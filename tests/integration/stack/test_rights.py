"""A service can reach its own data and nobody else's."""

import psycopg2
import pytest
import redis
from amqp import AccessRefused
from kombu import Connection

from stack.services import SERVICES
from tests.support.servers import Servers


def database(servers: Servers, service: str) -> "psycopg2.extensions.connection":
    url = servers.variables(service)["DATABASE_URL"].replace("+psycopg2", "")
    connection = psycopg2.connect(url)
    connection.autocommit = True
    return connection


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_starts_in_its_own_schema(servers: Servers, service: str):
    with database(servers, service).cursor() as cursor:
        cursor.execute("SELECT current_schema(), current_setting('search_path')")

        assert cursor.fetchone() == (service, f"{service}, public")


def test_a_service_cannot_change_its_schema(servers: Servers):
    with (
        database(servers, "catalog").cursor() as cursor,
        pytest.raises(psycopg2.errors.InsufficientPrivilege),
    ):
        cursor.execute("CREATE TABLE catalog.extra (id int)")


def test_a_service_cannot_look_into_the_schema_of_another(servers: Servers):
    with (
        database(servers, "catalog").cursor() as cursor,
        pytest.raises(psycopg2.errors.InsufficientPrivilege),
    ):
        cursor.execute("SET search_path = ordering; SELECT * FROM ordering.anything")


def test_words_can_be_searched_with_mistakes_and_without_accents(servers: Servers):
    with database(servers, "catalog").cursor() as cursor:
        cursor.execute("SELECT similarity('basket', 'baskett') > 0.5, unaccent('café')")

        assert cursor.fetchone() == (True, "cafe")


def test_a_service_sees_its_own_keys_only(servers: Servers):
    with redis.Redis.from_url(servers.variables("catalog")["REDIS_URL"]) as client:
        assert client.set("catalog:greeting", "hello", ex=5)
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.get("ordering:greeting")


def test_a_service_cannot_empty_redis(servers: Servers):
    with (
        redis.Redis.from_url(servers.variables("catalog")["REDIS_URL"]) as client,
        pytest.raises(redis.exceptions.NoPermissionError),
    ):
        client.flushall()


def test_the_broker_knows_each_service_by_its_own_password(servers: Servers):
    right = servers.broker_url("catalog")
    wrong = right.replace("amqp://catalog:", "amqp://ordering:")

    with Connection(right) as connection:
        connection.connect()
    with Connection(wrong) as connection, pytest.raises(AccessRefused):
        connection.connect()
