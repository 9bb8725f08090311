"""The database pool lends a used database only if the next test cannot see that it was used."""

from collections.abc import Iterator

import psycopg
import pytest

from deploy.local.servers.databases import OwnDatabase
from tests.database_pool import DatabasePool


@pytest.fixture
def own_pool(postgres_admin_url: str, template_database: str) -> Iterator[DatabasePool]:
    pool = DatabasePool(postgres_admin_url, template_database)
    yield pool
    pool.close()


def _run(own: OwnDatabase, *statements: str) -> None:
    with psycopg.connect(own.admin_url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def test_rows_and_counters_are_gone_when_it_is_lent_again(own_pool: DatabasePool) -> None:
    filled = "INSERT INTO routing.outbox (shard, topic) VALUES (1, 'a'), (1, 'b')"
    with own_pool.lend() as own:
        _run(own, filled)
        first = own.name
    with own_pool.lend() as own, psycopg.connect(own.admin_url) as connection:
        assert own.name == first
        assert connection.execute("SELECT count(*) FROM routing.outbox").fetchone() == (0,)
        connection.execute(filled.encode())
        assert connection.execute("SELECT min(id) FROM routing.outbox").fetchone() == (1,)


def test_a_connection_that_was_left_open_is_ended(own_pool: DatabasePool) -> None:
    with own_pool.lend() as own:
        left_open = psycopg.connect(own.admin_url)
    with pytest.raises(psycopg.OperationalError):
        left_open.execute("SELECT 1")


@pytest.mark.parametrize(
    "change",
    [
        "REVOKE INSERT ON routing.receipts FROM handoff_routing",
        "ALTER TABLE routing.receipts RENAME TO elsewhere",
        "ALTER TABLE routing.cases ADD COLUMN new text",
        "ALTER TABLE routing.cases ALTER report DROP NOT NULL",
        "CREATE TABLE public.another (id int)",
        "CREATE FUNCTION routing.fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'",
        "UPDATE routing.alembic_version SET version_num = '0000'",
        "DELETE FROM routing.alembic_version",
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''1MB''', current_database()); END $$",
    ],
)
def test_one_that_was_changed_beyond_its_rows_is_not_lent_again(own_pool: DatabasePool, change: str) -> None:
    with own_pool.lend() as own:
        _run(own, change)
        changed = own.name
    with own_pool.lend() as own:
        assert own.name != changed
