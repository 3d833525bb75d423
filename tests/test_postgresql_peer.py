"""The throw-away PostgreSQL server that other tests rely on."""

import sqlalchemy

from tests.peers.postgresql import Cluster


def test_a_copy_of_a_prepared_database_has_its_rows_and_is_dropped(
    postgresql_cluster: Cluster,
) -> None:
    def prepare(url: str) -> None:
        engine = sqlalchemy.create_engine(url)
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text("CREATE TABLE person AS SELECT 'Ann' AS name"))
        engine.dispose()

    template = postgresql_cluster.template("people", prepare)
    with postgresql_cluster.database(template) as url:
        engine = sqlalchemy.create_engine(url)
        with engine.connect() as connection:
            name = connection.execute(sqlalchemy.text("SELECT name FROM person")).scalar_one()
        engine.dispose()

    assert name == "Ann"


def test_a_new_database_is_empty(postgresql_url: str) -> None:
    engine = sqlalchemy.create_engine(postgresql_url)
    assert sqlalchemy.inspect(engine).get_table_names() == []
    engine.dispose()
