"""The job between the servers and the services: makes topics and accounts, the database, its roles and its tables.

`python -m deploy.local.preparation` reads what `deploy.migrate` and `deploy.kafka` read, and does both at once.
It is a process of its own, so that the supervisor stays small.
"""

import asyncio
import os
import sys
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from deploy.kafka.preparation import PROBLEMS, prepare_broker
from deploy.local.problems import LocalPlatformError
from deploy.local.readiness import wait_for_postgres
from deploy.migrate import main as migrate_as_told
from deploy.partners import prepare_partners


def prepare_database(url: str, *, make: bool) -> None:
    """Wait for PostgreSQL, make the database if asked to, and bring it up to date."""
    server = urlsplit(url)._replace(path="/postgres").geturl() if make else url
    wait_for_postgres(server)
    if make:
        make_database(server, urlsplit(url).path.lstrip("/"))
    migrate_as_told()


def make_database(server_url: str, name: str) -> None:
    """Make a database, if it does not exist."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        found = connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchone()
        if found is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


async def prepare() -> None:
    """Do everything, with the settings of the environment."""
    prepare_partners(os.environ)
    make = bool(os.environ.get("HANDOFF_MAKE_DATABASE"))
    await asyncio.gather(
        prepare_broker(os.environ),
        asyncio.to_thread(prepare_database, os.environ["HANDOFF_DATABASE_URL"], make=make),
    )


def main() -> None:
    """Run the job; say on one line why it could not be done."""
    try:
        asyncio.run(prepare())
    except (LocalPlatformError, *PROBLEMS, psycopg.Error) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
