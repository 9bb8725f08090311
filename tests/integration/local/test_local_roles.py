"""The permissions of each service's role in the database."""

from itertools import permutations

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from deploy.local.servers.databases import OwnDatabase, passwords
from deploy.migrate import migrate
from deploy.postgres.services import SERVICES, USERS_OF_THE_VAULT

pytestmark = pytest.mark.servers

INSERT = sql.SQL("INSERT INTO {} (source, event_id) VALUES ('/test', gen_random_uuid())")
DELETE = sql.SQL("DELETE FROM {}")
COUNT = sql.SQL("SELECT count(*) FROM {}")


def attempt(database: OwnDatabase, service: str, statement: str | sql.Composed) -> None:
    with psycopg.connect(database.url(service)) as connection:
        connection.execute(statement)


def tables_of(database: OwnDatabase, schema: str) -> list[sql.Identifier]:
    with psycopg.connect(database.admin_url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (schema,)).fetchall()
    return [sql.Identifier(schema, name) for (name,) in rows]


def test_a_service_reads_no_table_of_another(database: OwnDatabase) -> None:
    for service, other in permutations(SERVICES, 2):
        tables = tables_of(database, other)
        assert tables
        for table in tables:
            with pytest.raises(InsufficientPrivilege):
                attempt(database, service, COUNT.format(table))


def test_a_service_reads_and_writes_its_own_rows(database: OwnDatabase) -> None:
    for service in SERVICES:
        for table in tables_of(database, service):
            attempt(database, service, COUNT.format(table))
        inbox = sql.Identifier(service, "inbox")
        attempt(database, service, INSERT.format(inbox))
        attempt(database, service, DELETE.format(inbox))


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE {schema}.own (id int)",
        "DROP TABLE {schema}.inbox",
        "ALTER TABLE {schema}.inbox ADD COLUMN own int",
        "CREATE SCHEMA own",
        "CREATE TABLE public.own (id int)",
        "CREATE ROLE own",
        "SET ROLE handoff_admin",
    ],
)
def test_a_service_changes_no_structure(database: OwnDatabase, statement: str) -> None:
    for service in SERVICES:
        with pytest.raises(InsufficientPrivilege):
            attempt(database, service, statement.format(schema=service))


def test_a_service_may_copy_into_a_temporary_table(database: OwnDatabase) -> None:
    for service in SERVICES:
        attempt(database, service, "CREATE TEMP TABLE staging (id int)")


@pytest.mark.parametrize("service", USERS_OF_THE_VAULT)
def test_those_who_open_sealed_data_read_the_vault(database: OwnDatabase, service: str) -> None:
    attempt(database, service, "SELECT count(*) FROM vault.person_keys")


def test_metrics_never_sees_the_vault(database: OwnDatabase) -> None:
    with pytest.raises(InsufficientPrivilege):
        attempt(database, "metrics", "SELECT count(*) FROM vault.person_keys")


def test_intake_makes_and_erases_keys_but_never_changes_one(database: OwnDatabase) -> None:
    attempt(database, "intake", "INSERT INTO vault.person_keys (person_id, wrapped) VALUES (gen_random_uuid(), '')")
    with pytest.raises(InsufficientPrivilege):
        attempt(database, "intake", "UPDATE vault.person_keys SET wrapped = ''")
    attempt(database, "intake", "DELETE FROM vault.person_keys WHERE false")


def test_only_intake_writes_consents_and_it_removes_none(database: OwnDatabase) -> None:
    attempt(database, "intake", "UPDATE vault.consents SET withdrawn_at = now()")
    with pytest.raises(InsufficientPrivilege):
        attempt(database, "intake", "DELETE FROM vault.consents")
    attempt(database, "routing", "SELECT count(*) FROM vault.consents")
    with pytest.raises(InsufficientPrivilege):
        attempt(database, "routing", "UPDATE vault.consents SET withdrawn_at = NULL")


@pytest.mark.parametrize("service", ["notifications", "metrics"])
def test_a_service_that_releases_nothing_reads_no_consent(database: OwnDatabase, service: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        attempt(database, service, "SELECT count(*) FROM vault.consents")


@pytest.mark.parametrize("service", ["routing", "notifications"])
def test_readers_of_the_vault_change_nothing_in_it(database: OwnDatabase, service: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        attempt(database, service, "DELETE FROM vault.person_keys")


def test_migrating_again_changes_nothing(database: OwnDatabase) -> None:
    migrate(database.admin_url, passwords(database.server_url))
    attempt(database, "intake", "SELECT count(*) FROM intake.cases")
