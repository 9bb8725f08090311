"""A schema with nothing but the kit's own tables, and a table of effects to count."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from deploy.local.servers.databases import drop
from shared.kit.database.database import Database
from shared.kit.database.migrations import KIT_TABLES_UP, OUTBOX_GUARDS_UP, SETTLED_LETTERS_UP

EFFECTS = "CREATE TABLE effects (id bigint GENERATED ALWAYS AS IDENTITY, event_id uuid, case_id uuid, sequence bigint)"


@pytest.fixture
def kit_url(postgres_admin_url: str) -> Iterator[str]:
    """Make a database with the schema `kit` for one test, and return its address."""
    name = f"kit_{uuid4().hex[:12]}"
    with psycopg.connect(postgres_admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = make_conninfo(postgres_admin_url, dbname=name)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE SCHEMA kit")
        connection.execute("SET search_path TO kit")
        for statement in (*KIT_TABLES_UP, *OUTBOX_GUARDS_UP, *SETTLED_LETTERS_UP, EFFECTS):
            connection.execute(statement)
    yield url
    drop(postgres_admin_url, name)


@pytest.fixture
async def kit(kit_url: str) -> AsyncIterator[Database]:
    """Open that database as a service would."""
    database = Database(kit_url, "kit")
    await database.open()
    yield database
    await database.close()
