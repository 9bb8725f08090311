"""The job that updates a database: it creates roles and schemas, applies each service's migrations, then sets grants.

`python -m deploy.migrate` reads the administrator's address from HANDOFF_DATABASE_URL, and the passwords to set from
HANDOFF_PASSWORD_INTAKE (_ROUTING, _NOTIFICATIONS, _METRICS). It is safe to run again, and twice at the same time.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from deploy.postgres.roles import create_roles, grant
from deploy.postgres.services import SERVICES

_ROOT = Path(__file__).parents[1]
_LOCK = "SELECT pg_advisory_lock(hashtext('handoff.migrate'))"


def migrate(admin_url: str, passwords: Mapping[str, str]) -> None:
    """Update the database. `passwords` are by name of the service; the passwords of other services stay."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        # The lock is held until the connection closes: a second job waits for it, and then finds nothing to do.
        connection.execute(_LOCK)
        create_roles(connection, passwords)
        with _sqlalchemy(admin_url) as engine:
            for service in SERVICES:
                _upgrade(engine, service)
        grant(connection)


@contextmanager
def _sqlalchemy(admin_url: str) -> Iterator[Any]:
    from sqlalchemy import create_engine  # noqa: PLC0415 - slow to import

    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(admin_url))
    try:
        yield engine
    finally:
        engine.dispose()


def _upgrade(engine: Any, service: str) -> None:
    """Apply the migrations of one service in one transaction."""
    from alembic import command  # noqa: PLC0415 - slow to import
    from alembic.config import Config  # noqa: PLC0415

    folder = _ROOT / "services" / service / "migrations"
    if not folder.exists():
        return
    config = Config()
    config.set_main_option("script_location", str(folder))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def main() -> None:
    """Run the job with the settings of the environment."""
    admin_url = os.environ.get("HANDOFF_DATABASE_URL")
    if not admin_url:
        sys.exit("Set HANDOFF_DATABASE_URL to the address of the database, with the administrator's role.")
    variables = {service: f"HANDOFF_PASSWORD_{service.upper()}" for service in SERVICES}
    migrate(admin_url, {service: os.environ[name] for service, name in variables.items() if os.environ.get(name)})


if __name__ == "__main__":
    main()
