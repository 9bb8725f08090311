"""The job that runs between the servers and the services: creates topics, accounts, database, roles and tables.

`python -m deploy.local.preparation` reads the settings of `deploy.migrate` and `deploy.kafka`, and runs both
concurrently. It is a process of its own so that the supervisor does not keep the memory of what the job imports.
"""

import asyncio
import os
import sys
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from deploy.errors import PlatformError
from deploy.kafka.preparation import PREPARATION_ERRORS, prepare_broker
from deploy.migrate import main as migrate_from_environment
from deploy.partner_keys import prepare_partners
from deploy.readiness import wait_for_postgres


def prepare_database(url: str, *, create: bool) -> None:
    """Wait for PostgreSQL, create the database if `create` says so, and apply the migrations."""
    server = urlsplit(url)._replace(path="/postgres").geturl() if create else url
    wait_for_postgres(server)
    if create:
        create_database(server, urlsplit(url).path.lstrip("/"))
    migrate_from_environment()


def create_database(server_url: str, name: str) -> None:
    """Create a database unless it exists."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        found = connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchone()
        if found is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


async def prepare() -> None:
    """Run the job with the settings of the environment."""
    prepare_partners(os.environ)
    create = bool(os.environ.get("HANDOFF_MAKE_DATABASE"))
    await asyncio.gather(
        prepare_broker(os.environ),
        asyncio.to_thread(prepare_database, os.environ["HANDOFF_DATABASE_URL"], create=create),
    )


def main() -> None:
    """Run the job; an error ends it with exit code 1 and its text."""
    try:
        asyncio.run(prepare())
    except (PlatformError, *PREPARATION_ERRORS, psycopg.Error) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
