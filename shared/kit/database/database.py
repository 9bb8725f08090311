"""PostgreSQL: a pool of connections, transactions and single statements. The only module that commits."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, Final

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo
from psycopg_pool import AsyncConnectionPool, PoolTimeout

Transaction = AsyncConnection[Any]
"""A connection inside a transaction. Functions that take one never commit."""


class UnavailableError(Exception):
    """A part of what the transaction must write cannot be written now: nothing is written, and the caller retries."""


TRANSIENT_ERRORS: Final = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,
    PoolTimeout,
    UnavailableError,
)
"""Errors that a later retry may not meet: the database is unavailable, read-only, full or overloaded."""

UNHEALTHY_SECONDS: Final = 30.0


class Database:
    """The connections of one service to its own schema.

    Arguments:
        url: `postgresql://` address, with the service's own role.
        schema: the schema of unqualified table names.
        staging: `CREATE TEMP TABLE` statements, run once for each connection (targets of COPY).
        size: connections at most.
    """

    def __init__(self, url: str, schema: str, staging: Sequence[str] = (), size: int = 8) -> None:
        self.schema = schema
        self._staging = staging
        self._conninfo = make_conninfo(url, options=f"-c search_path={schema},pg_temp", application_name=schema)
        self.pool: AsyncConnectionPool[Transaction] = AsyncConnectionPool(
            self._conninfo,
            kwargs={"autocommit": True},
            min_size=1,
            max_size=size,
            timeout=10,
            reconnect_timeout=5,
            open=False,
            configure=self._configure,
            check=self._check,
        )
        self._unhealthy_until = 0.0
        self.committed = asyncio.Event()
        self._commit_events = [self.committed]

    def commit_event(self) -> asyncio.Event:
        """Return an event that is set after each commit of this process; the caller clears it."""
        self._commit_events.append(asyncio.Event())
        return self._commit_events[-1]

    async def open(self) -> None:
        """Start to connect; return at once, even if the database is unavailable."""
        await self.pool.open(wait=False)

    async def close(self) -> None:
        """Close every connection."""
        await self.pool.close(timeout=5)

    @asynccontextmanager
    async def transaction(self, *, notify_commit: bool = True) -> AsyncIterator[Transaction]:
        """Run a block in one transaction: committed at its end, rolled back when it raises.

        The commit sets the commit events of this process, so that the relay publishes at once. Use
        `notify_commit=False` if the transaction enqueues no event.
        """
        _raise_if_cancelled()
        async with self.pool.connection() as connection:
            try:
                async with connection.transaction():
                    yield connection
                if notify_commit:
                    self.notify_commit()
            except TRANSIENT_ERRORS as error:
                await self._discard(connection, error)
                raise

    @asynccontextmanager
    async def statement(self) -> AsyncIterator[Transaction]:
        """Lend a connection for single statements, each a transaction of its own: BEGIN and COMMIT cost round trips."""
        _raise_if_cancelled()
        async with self.pool.connection() as connection:
            try:
                yield connection
                self.notify_commit()
            except TRANSIENT_ERRORS as error:
                await self._discard(connection, error)
                raise

    async def listener(self) -> Transaction:
        """Open a connection outside of the pool, for LISTEN; the caller closes it."""
        return await AsyncConnection.connect(self._conninfo, autocommit=True)

    async def problem(self) -> str | None:
        """Return why the database cannot be used now; None if it can."""
        try:
            async with self.pool.connection(timeout=2) as connection:
                await connection.execute("SELECT 1")
        except TRANSIENT_ERRORS as error:
            return f"database: {type(error).__name__}"
        return None

    def notify_commit(self) -> None:
        """Set the commit events of this process."""
        for event in self._commit_events:
            event.set()

    def mark_unhealthy(self) -> None:
        """Check connections before they are lent, for a while: the database was unavailable."""
        self._unhealthy_until = monotonic() + UNHEALTHY_SECONDS

    async def _discard(self, connection: Transaction, error: BaseException) -> None:
        """Close a connection that has turned read-only, and check the others before they are lent."""
        if isinstance(error, UnavailableError):
            return  # raised by a caller: the connection is sound
        if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
            # After a fail-over the old primary is a standby: the connection lives, but will never write again.
            await connection.close()
        self.mark_unhealthy()

    async def _check(self, connection: Transaction) -> None:
        """Check a connection only after a failure: a round trip for each loan would slow down every request."""
        if monotonic() < self._unhealthy_until:
            await AsyncConnectionPool.check_connection(connection)

    async def _configure(self, connection: Transaction) -> None:
        # Prepare a statement when it runs for the second time; psycopg's default is the sixth.
        connection.prepare_threshold = 1
        for statement in self._staging:
            await connection.execute(statement)


def _raise_if_cancelled() -> None:
    """Raise CancelledError if a cancellation of this task was swallowed.

    `asyncio.wait_for`, by which the driver waits, drops a cancellation that arrives together with the result (before
    Python 3.12). A loop that goes on with another transaction would never end.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
