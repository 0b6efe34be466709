"""A service gets in where it belongs; what it may do there: test_{database,broker,redis}_rights."""

import psycopg2
import pytest
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


def test_words_can_be_searched_with_mistakes_and_without_accents(servers: Servers):
    with database(servers, "catalog").cursor() as cursor:
        cursor.execute("SELECT similarity('basket', 'baskett') > 0.5, unaccent('café')")

        assert cursor.fetchone() == (True, "cafe")


def test_the_broker_knows_each_service_by_its_own_password(servers: Servers):
    right = servers.broker_url("catalog")
    wrong = right.replace("amqp://catalog:", "amqp://ordering:")

    with Connection(right) as connection:
        connection.connect()
    with Connection(wrong) as connection, pytest.raises(AccessRefused):
        connection.connect()
