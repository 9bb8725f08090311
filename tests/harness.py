"""The base of the harnesses in tests/service: one service on a database of its own, without Kafka."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import psycopg
from psycopg import pq

from deploy.local.servers.databases import OwnDatabase
from shared.kit.messaging.messages import Record


@dataclass
class ServiceHarness:
    """What the harnesses of the four services share; a subclass builds the service as its app does."""

    schema: ClassVar[str]
    tables: ClassVar[Sequence[str]]
    """The tables that a redelivery must not change."""

    own: OwnDatabase

    def rows(self, sql: str, *values: Any) -> list[Any]:
        """Run a statement as the administrator and return its rows, if it has any."""
        with self._admin() as connection:
            cursor = connection.execute(sql.encode(), values)
            # `description` is also empty for SELECT without columns, which returns rows.
            has_rows = cursor.pgresult is not None and cursor.pgresult.status == pq.ExecStatus.TUPLES_OK
            return cursor.fetchall() if has_rows else []

    def execute(self, *statements: str) -> None:
        """Run statements as the administrator, in one transaction."""
        with self._admin() as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def snapshot(self) -> dict[str, list[Any]]:
        """Return all rows of the service's tables, sorted."""
        return {table: self.rows(f"SELECT * FROM {table} AS t ORDER BY t") for table in self.tables}

    async def deliver_twice(
        self, consumer: Callable[[Sequence[Record]], Awaitable[None]], records: Sequence[Record]
    ) -> None:
        """Deliver a batch and the same batch again; the redelivery must change nothing."""
        await consumer(records)
        before = self.snapshot()
        await consumer(records)
        assert self.snapshot() == before, "the redelivery changed something"

    def _admin(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.own.admin_url, options=f"-c search_path={self.schema}")
