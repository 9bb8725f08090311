"""The roles of the services: each may touch its own schema and nothing else, except for the keys in the vault."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from psycopg import Connection, sql

from deploy.postgres.services import SERVICES, role_of

_FOLDER = Path(__file__).parent


def make_roles(connection: Connection[Any], passwords: Mapping[str, str]) -> None:
    """Make each service's role and schema; set the passwords that are given, by name of the service."""
    _run(connection, "database.sql", "")
    for service in SERVICES:
        _run(connection, "role.sql", service)
        if service in passwords:
            statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
            connection.execute(statement.format(sql.Identifier(role_of(service)), sql.Literal(passwords[service])))


def grant(connection: Connection[Any]) -> None:
    """Give each role what it may do with the tables that there are now: after every migration, and all at once."""
    with connection.transaction():
        for service in SERVICES:
            _run(connection, "grants.sql", service)
        _run(connection, "vault.sql", "")
        _run(connection, "ledger.sql", "routing")


def _run(connection: Connection[Any], file: str, service: str) -> None:
    """Run one of the SQL files beside this module, for one service where it is about one."""
    names = {
        "database": sql.Identifier(connection.info.dbname),
        "schema": sql.Identifier(service),
        "role": sql.Identifier(role_of(service)),
        "role_name": sql.Literal(role_of(service)),
    }
    template = (_FOLDER / file).read_text(encoding="utf-8")
    connection.execute(sql.SQL(template).format(**names))
