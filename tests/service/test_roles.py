"""What each service's role may do in the database, and what it may not."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import Connection, sql
from psycopg.errors import InsufficientPrivilege

from deploy.migrate import migrate
from deploy.postgres.services import SERVICES
from tests import databases
from tests.databases import OwnDatabase

pytestmark = pytest.mark.servers

_TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"
_READS = "SELECT FROM {} LIMIT 1"
_TOUCHES = (_READS, "DELETE FROM {}", "TRUNCATE {}")
_REMAKES = (
    "DROP TABLE {}",
    "ALTER TABLE {} ADD COLUMN more text",
    "CREATE TRIGGER t AFTER INSERT ON {} EXECUTE FUNCTION f()",
)
_KEYS = sql.Identifier("vault", "person_keys")
_ADD_KEY = sql.SQL("INSERT INTO {} (person_id, wrapped) VALUES (gen_random_uuid(), 'x')").format(_KEYS)
_CHANGE_KEY = sql.SQL("UPDATE {} SET wrapped = 'y'").format(_KEYS)
_READ_KEYS = sql.SQL("SELECT wrapped FROM {}").format(_KEYS)
_DELETE_KEYS = sql.SQL("DELETE FROM {}").format(_KEYS)


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def connection(database: OwnDatabase, service: str) -> Iterator[Connection]:
    """Give a connection with the role of a service."""
    with psycopg.connect(database.url(service), autocommit=True) as own:
        yield own


def test_a_service_reads_and_writes_the_rows_of_its_own_schema(connection: Connection, service: str) -> None:
    inbox = sql.Identifier(service, "inbox")
    connection.execute(sql.SQL("INSERT INTO {} (source, event_id) VALUES ('/a', gen_random_uuid())").format(inbox))
    connection.execute(sql.SQL("UPDATE {} SET source = '/b'").format(inbox))
    assert connection.execute(sql.SQL("DELETE FROM {} RETURNING source").format(inbox)).fetchall() == [("/b",)]


def test_a_service_cannot_touch_any_table_of_another(
    connection: Connection, database: OwnDatabase, service: str
) -> None:
    foreign = [table for other in SERVICES if other != service for table in _tables(database, other)]
    assert len(foreign) >= 4 * (len(SERVICES) - 1), "each schema has at least the kit's tables"
    assert [(table, touch) for table in foreign for touch in _TOUCHES if _may(connection, touch, table)] == []


def test_a_service_cannot_remake_its_own_tables(connection: Connection, database: OwnDatabase, service: str) -> None:
    own = _tables(database, service)
    assert [(table, remake) for table in own for remake in _REMAKES if _may(connection, remake, table)] == []


def test_a_service_makes_no_tables_but_temporary_ones(connection: Connection, service: str) -> None:
    connection.execute("CREATE TEMP TABLE staging (a int)")
    for schema in (service, "vault", "public"):
        assert not _may(connection, "CREATE TABLE {} (a int)", sql.Identifier(schema, "made"))


def test_intake_makes_and_erases_keys_and_never_changes_one(database: OwnDatabase) -> None:
    with psycopg.connect(database.url("intake"), autocommit=True) as intake:
        intake.execute(_ADD_KEY)
        with pytest.raises(InsufficientPrivilege):
            intake.execute(_CHANGE_KEY)
        assert intake.execute(_DELETE_KEYS).rowcount == 1


@pytest.mark.parametrize("reader", ["routing", "notifications"])
def test_routing_and_notifications_only_read_keys(database: OwnDatabase, reader: str) -> None:
    with psycopg.connect(database.url("intake")) as intake:
        intake.execute(_ADD_KEY)
    with psycopg.connect(database.url(reader), autocommit=True) as connection:
        assert connection.execute(_READ_KEYS).fetchall() == [(b"x",)]
        for statement in (_ADD_KEY, _CHANGE_KEY, _DELETE_KEYS):
            with pytest.raises(InsufficientPrivilege):
                connection.execute(statement)


def test_metrics_never_sees_a_key(database: OwnDatabase) -> None:
    with psycopg.connect(database.url("metrics")) as connection, pytest.raises(InsufficientPrivilege):
        connection.execute(_READ_KEYS)


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


def test_migrating_again_changes_nothing(database: OwnDatabase) -> None:
    before = [_tables(database, service) for service in SERVICES]
    migrate(database.admin_url, databases.passwords(database.server_url))
    assert [_tables(database, service) for service in SERVICES] == before


def _tables(database: OwnDatabase, schema: str) -> list[sql.Identifier]:
    with psycopg.connect(database.admin_url) as admin:
        rows = admin.execute(_TABLES, [schema]).fetchall()
    return [sql.Identifier(schema, name) for (name,) in sorted(rows)]


def _may(connection: Connection, statement: str, table: sql.Identifier) -> bool:
    """Try a statement; whatever it did is undone."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(sql.SQL(statement).format(table))
    except InsufficientPrivilege:
        return False
    return True
