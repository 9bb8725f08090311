"""The database roles of the services: what each may write, and that other roles have no access."""

from itertools import permutations

import psycopg
import pytest
from psycopg import Connection, sql
from psycopg.errors import InsufficientPrivilege

from deploy.local.servers.databases import OwnDatabase
from deploy.migrate import migrate
from deploy.postgres.services import SERVICES

pytestmark = pytest.mark.servers

_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"
_RIGHTS = """
    -- Every right that a service's role has in fact, however it came by it.
    SELECT c.relname, n.nspname, s.service, r.name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
        unnest(%s::text[]) AS s (service),
        unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS r (name)
    WHERE c.relkind IN ('r', 'p', 'v') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
        AND has_table_privilege('handoff_' || s.service, c.oid, r.name)
"""
_VAULT = {
    "person_keys": {
        *(("intake", right) for right in ("SELECT", "INSERT", "DELETE")),
        ("routing", "SELECT"),
        ("notifications", "SELECT"),
    },
    "consents": {*(("intake", right) for right in ("SELECT", "INSERT", "UPDATE")), ("routing", "SELECT")},
}
_WRITES = ("DELETE FROM {}", "TRUNCATE {}", "DROP TABLE {}", "CREATE INDEX ON {} ((1))")


@pytest.mark.parametrize(("service", "other"), [*permutations(SERVICES, 2)])
def test_a_service_writes_to_no_table_of_another(database: OwnDatabase, service: str, other: str) -> None:
    with psycopg.connect(database.admin_url) as admin:
        tables = [sql.Identifier(other, name) for (name,) in admin.execute(_TABLES, [other])]
    assert len(tables) >= 4, "each schema has at least the kit's tables"
    with psycopg.connect(database.url(service), autocommit=True) as connection:
        done = [(table, write) for table in tables for write in _WRITES if _may(connection, write, table)]
    assert done == []


def test_every_right_that_a_role_has_is_one_that_is_named_here(database: OwnDatabase) -> None:
    own = {(service, service, right) for service in SERVICES for right in ("SELECT", "INSERT", "UPDATE", "DELETE")}
    with psycopg.connect(database.admin_url) as admin:
        rights = admin.execute(_RIGHTS, [list(SERVICES)]).fetchall()
    assert len(rights) > len(own)
    for table, schema, service, right in rights:
        allowed = own if schema != "vault" else {(table, *each) for each in _VAULT[table]}
        named = (schema, service, right) if schema != "vault" else (table, service, right)
        assert named in allowed, f"{service} has {right} on {schema}.{table}"


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
