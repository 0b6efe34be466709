"""What holds for every connection, whatever the database says."""

from sqlalchemy.exc import DBAPIError

from oja_events.database import make_engine


def test_errors_of_the_database_do_not_repeat_what_was_written():
    engine = make_engine("postgresql+psycopg2://localhost/nowhere", application="test")

    error = DBAPIError.instance(
        "INSERT INTO orders (contact) VALUES (%(contact)s)",
        {"contact": "ada@example.com"},
        ValueError("out of range"),
        Exception,
        hide_parameters=engine.hide_parameters,
    )

    assert "ada@example.com" not in str(error)
