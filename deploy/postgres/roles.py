"""The database roles of the services: each may use its own schema, and some of them the keys in the vault."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from psycopg import Connection, sql

from deploy.postgres.services import SERVICES, role_of

_FOLDER = Path(__file__).parent


def create_roles(connection: Connection[Any], passwords: Mapping[str, str]) -> None:
    """Create each service's role and schema, and set these passwords, which are by name of the service."""
    _run(connection, "database.sql", "")
    for service in SERVICES:
        _run(connection, "role.sql", service)
        if service in passwords:
            statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
            connection.execute(statement.format(sql.Identifier(role_of(service)), sql.Literal(passwords[service])))


def grant(connection: Connection[Any]) -> None:
    """Set the grants of each role for the existing tables, in one transaction; run this after every migration."""
    with connection.transaction():
        for service in SERVICES:
            _run(connection, "grants.sql", service)
        _run(connection, "vault.sql", "")
        _run(connection, "ledger.sql", "routing")


def _run(connection: Connection[Any], file: str, service: str) -> None:
    """Run one of the SQL files of this folder with the names of a service; `service` may be empty."""
    names = {
        "database": sql.Identifier(connection.info.dbname),
        "schema": sql.Identifier(service),
        "role": sql.Identifier(role_of(service)),
        "role_name": sql.Literal(role_of(service)),
    }
    template = (_FOLDER / file).read_text(encoding="utf-8")
    connection.execute(sql.SQL(template).format(**names))
