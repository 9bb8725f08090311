"""The migrations create the tables that tables.py describes."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from deploy.local.servers.databases import OwnDatabase
from services.intake.tables import metadata

pytestmark = pytest.mark.servers


def test_the_migrations_make_the_tables_that_the_code_describes(database: OwnDatabase) -> None:
    engine = create_engine(database.admin_url.replace("postgresql://", "postgresql+psycopg://", 1))
    schemas = {"intake", "vault"}
    options = {
        "include_schemas": True,
        "include_name": lambda name, kind, _: name in schemas if kind == "schema" else name != "alembic_version",
    }
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    engine.dispose()
    assert differences == []
