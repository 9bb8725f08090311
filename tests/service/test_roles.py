"""The walls between services in the database, from the side of those who would write, and of those who are nobody."""

from itertools import permutations

import psycopg
import pytest
from psycopg import Connection, sql
from psycopg.errors import InsufficientPrivilege

from deploy.migrate import migrate
from deploy.postgres.services import SERVICES
from tests.databases import OwnDatabase

pytestmark = pytest.mark.servers

_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"
_WRITES = ("DELETE FROM {}", "TRUNCATE {}", "DROP TABLE {}", "CREATE INDEX ON {} ((1))")


@pytest.mark.parametrize(("service", "other"), [*permutations(SERVICES, 2)])
def test_a_service_writes_to_no_table_of_another(database: OwnDatabase, service: str, other: str) -> None:
    with psycopg.connect(database.admin_url) as admin:
        tables = [sql.Identifier(other, name) for (name,) in admin.execute(_TABLES, [other])]
    assert len(tables) >= 4, "each schema has at least the kit's tables"
    with psycopg.connect(database.url(service), autocommit=True) as connection:
        done = [(table, write) for table in tables for write in _WRITES if _may(connection, write, table)]
    assert done == []


def test_a_role_that_is_not_named_does_not_get_in(database: OwnDatabase) -> None:
    migrate(database.admin_url, {})  # who may enter is not copied with a database
    stranger = f"stranger_{database.name}"
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(stranger)))
        try:
            asked = admin.execute("SELECT has_database_privilege(%s, current_database(), 'CONNECT')", [stranger])
            assert asked.fetchone() == (False,)
        finally:
            admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(stranger)))


def _may(connection: Connection, statement: str, table: sql.Identifier) -> bool:
    """Try a statement; whatever it did is undone."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(sql.SQL(statement).format(table))
    except InsufficientPrivilege:
        return False
    return True
