"""Databases that are lent to one test after the other: to empty a few tables is cheaper than to clone everything."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, LiteralString

import psycopg
from psycopg import Connection, sql

from deploy.local.servers import databases
from deploy.local.servers.databases import OwnDatabase

_OURS: Final = "nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'"

_SHAPE: Final[LiteralString] = f"""
    -- Everything that a test may change about a database besides rows: tables, columns, triggers, functions, rights.
    WITH ours AS (SELECT oid, nspname, nspacl FROM pg_namespace WHERE {_OURS}),
    relations AS (SELECT c.* FROM pg_class c JOIN ours ON ours.oid = relnamespace)
    SELECT md5(string_agg(line, E'\\n' ORDER BY line)) FROM (
        SELECT concat_ws(' ', nspname, nspacl) AS line FROM ours
        UNION ALL SELECT concat_ws(' ', oid, relname, relkind, relowner, relacl, reloptions, relrowsecurity)
            FROM relations
        UNION ALL SELECT concat_ws(' ', attrelid, attnum, attname, atttypid, attnotnull, attacl, attisdropped)
            FROM pg_attribute JOIN relations ON relations.oid = attrelid WHERE attnum > 0
        UNION ALL SELECT concat_ws(' ', conname, pg_get_constraintdef(c.oid)) FROM pg_constraint c
            JOIN ours ON ours.oid = connamespace
        UNION ALL SELECT concat_ws(' ', tgrelid, tgname, tgenabled) FROM pg_trigger
            JOIN relations ON relations.oid = tgrelid
        UNION ALL SELECT concat_ws(' ', p.oid, proname, proacl, md5(prosrc)) FROM pg_proc p
            JOIN ours ON ours.oid = pronamespace
        UNION ALL SELECT concat_ws(' ', datname, datacl, setconfig) FROM pg_db_role_setting
            JOIN pg_database d ON d.oid = setdatabase WHERE datname = current_database()
    ) AS lines
"""

_NOT_EMPTY: Final[LiteralString] = f"""
    SELECT nspname, relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind = 'r' AND {_OURS} AND pg_relation_size(pg_class.oid) > 0
"""

_COUNTED: Final = """
    SELECT schemaname, sequencename FROM pg_sequences WHERE last_value IS NOT NULL
"""

_END_OTHERS: Final = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""

Name = tuple[str, str]


@dataclass
class DatabasePool:
    """Lends clones of one template; a clone that a test has changed beyond its rows is not lent again."""

    server_url: str
    template: str
    _free: list[str] = field(default_factory=list)
    _new: "_State | None" = None

    @contextmanager
    def lend(self) -> Iterator[OwnDatabase]:
        """Lend a database that is as the template is, for the length of a block."""
        own = OwnDatabase(self._free.pop() if self._free else self._clone(), self.server_url)
        try:
            yield own
        finally:
            self._take_back(own)

    def close(self) -> None:
        """Drop everything that was lent."""
        for name in self._free:
            databases.drop(self.server_url, name)

    def _clone(self) -> str:
        name = databases.clone(self.server_url, self.template)
        if self._new is None:
            with _opened(OwnDatabase(name, self.server_url)) as connection:
                self._new = _look(connection)
        return name

    def _take_back(self, own: OwnDatabase) -> None:
        with _opened(own) as connection:
            connection.execute(_END_OTHERS)
            as_new = _make_as_new(connection, self._new) if self._new else False
        if as_new:
            self._free.append(own.name)
        else:
            databases.drop(self.server_url, own.name)


@dataclass(frozen=True)
class _State:
    """How a new clone is: its shape, and what is in the tables that migrations have put something into."""

    shape: str
    filled: dict[Name, str]
    counted: frozenset[Name]


def _look(connection: Connection[Any]) -> _State:
    filled = {table: _content(connection, table) for table in connection.execute(_NOT_EMPTY).fetchall()}
    return _State(_shape(connection), filled, _counted(connection))


def _make_as_new(connection: Connection[Any], new: _State) -> bool:
    """Empty what a test has filled; tell whether the database is then as a new one."""
    if _shape(connection) != new.shape:
        return False
    full = connection.execute(_NOT_EMPTY).fetchall()
    if any(table not in full or _content(connection, table) != content for table, content in new.filled.items()):
        return False
    if to_empty := [sql.Identifier(*table) for table in full if table not in new.filled]:
        connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(sql.SQL(", ").join(to_empty)))
    for sequence in _counted(connection) - new.counted:
        connection.execute(sql.SQL("ALTER SEQUENCE {} RESTART").format(sql.Identifier(*sequence)))
    return True


def _content(connection: Connection[Any], table: Name) -> str:
    statement = sql.SQL("SELECT md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM {} AS t")
    ((digest,),) = connection.execute(statement.format(sql.Identifier(*table))).fetchall()
    return str(digest)


def _shape(connection: Connection[Any]) -> str:
    ((digest,),) = connection.execute(_SHAPE).fetchall()
    return str(digest)


def _counted(connection: Connection[Any]) -> frozenset[Name]:
    return frozenset(connection.execute(_COUNTED).fetchall())


def _opened(own: OwnDatabase) -> Connection[Any]:
    return psycopg.connect(own.admin_url, autocommit=True)
