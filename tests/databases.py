"""A database for each test, cloned from a template that all migrations have been applied to."""

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
    """One test's database; every service reaches it with its own role."""

    name: str
    server_url: str

    @property
    def admin_url(self) -> str:
        """The administrator's address of this database."""
        return _url(self.server_url, self.name)

    def url(self, service: str) -> str:
        """The address of this database that a service uses."""
        return _url(self.server_url, self.name, role_of(service))


def passwords(server_url: str) -> dict[str, str]:
    """Passwords of the services' roles, the same for every run on one server: runs do not disturb one another."""
    return {service: _password(server_url, role_of(service)) for service in SERVICES}


def make_template(server_url: str) -> str:
    """Make a database with all migrations applied, and return its name."""
    name = f"template_{uuid4().hex[:12]}"
    _admin(server_url, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    migrate(_url(server_url, name), passwords(server_url))
    return name


@contextmanager
def own_database(server_url: str, template: str) -> Iterator[OwnDatabase]:
    """Clone the template for the length of a block."""
    name = clone(server_url, template)
    try:
        yield OwnDatabase(name, server_url)
    finally:
        drop(server_url, name)


def clone(server_url: str, template: str) -> str:
    """Make a database that is as the template is, and return its name."""
    name = f"test_{uuid4().hex[:12]}"
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    _admin(server_url, statement.format(sql.Identifier(name), sql.Identifier(template)))
    return name


def drop(server_url: str, name: str) -> None:
    """Drop a database, and whoever is still connected to it."""
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
