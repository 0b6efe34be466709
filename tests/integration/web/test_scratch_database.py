from sqlalchemy import create_engine, text

from tests.support.postgres import scratch_database


def test_every_call_gives_a_database_of_its_own():
    with scratch_database() as first, scratch_database() as second:
        for url in (first, second):
            engine = create_engine(url)
            with engine.begin() as connection:
                connection.execute(text("CREATE TABLE mine (id int)"))
            engine.dispose()

    assert first != second
