"""Databases for tests and measurements, cloned from a template that has every migration applied."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from deploy.migrate import migrate
from deploy.postgres.services import SERVICES, role_of


@dataclass(frozen=True)
class OwnDatabase:
    """A database for one test or measurement; every service connects to it with its own role."""

    name: str
    server_url: str

    @property
    def admin_url(self) -> str:
        """The administrator's address of this database."""
        return _url(self.server_url, self.name)

    def url(self, service: str) -> str:
        """Return the address that a service connects to."""
        return _url(self.server_url, self.name, role_of(service))


def passwords(server_url: str) -> dict[str, str]:
    """Return the passwords of the services' roles.

    They depend on the server's address only, so that runs on one server do not lock each other out.
    """
    return {service: _password(server_url, role_of(service)) for service in SERVICES}


def make_template(server_url: str) -> str:
    """Create a database with every migration applied, and return its name."""
    name = f"template_{uuid4().hex[:12]}"
    _admin(server_url, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    migrate(_url(server_url, name), passwords(server_url))
    return name


@contextmanager
def own_database(server_url: str, template: str) -> Iterator[OwnDatabase]:
    """Clone the template, and drop the clone after the block."""
    name = clone(server_url, template)
    try:
        yield OwnDatabase(name, server_url)
    finally:
        drop(server_url, name)


def clone(server_url: str, template: str) -> str:
    """Create a copy of the template, and return its name."""
    name = f"test_{uuid4().hex[:12]}"
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    _admin(server_url, statement.format(sql.Identifier(name), sql.Identifier(template)))
    return name


def drop(server_url: str, name: str) -> None:
    """Drop a database, and end the connections to it."""
    _admin(server_url, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _admin(server_url: str, statement: sql.Composed) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(statement)


def _password(server_url: str, role: str) -> str:
    return hashlib.sha256(f"{server_url} {role}".encode()).hexdigest()[:24]


def _url(server_url: str, database: str, role: str | None = None) -> str:
    parts = conninfo_to_dict(server_url)
    user, password = (role, _password(server_url, role)) if role else (parts["user"], parts["password"])
    return f"postgresql://{user}:{password}@{parts['host']}:{parts['port']}/{database}"
