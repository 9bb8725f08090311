"""PostgreSQL: transactions for writing, sessions for reading. The only place that commits."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

Transaction = AsyncConnection[Any]
"""A connection inside a transaction; whoever is given one never commits."""


class UnavailableError(Exception):
    """Something that must be written with the rest cannot be written now: nothing is, and all of it is tried again."""


TRANSIENT_ERRORS = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,
    PoolTimeout,
    UnavailableError,
)
"""What is raised when the database is away, read-only, full, shedding load or closed to us in part: try again later."""

SUSPICION_SECONDS = 30.0


class Database:
    """One service's way to its own schema.

    Arguments:
        url: `postgresql://` address, with the service's own role.
        schema: what unqualified table names mean.
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
        self._suspect_until = 0.0
        self.committed = asyncio.Event()
        self._watchers = [self.committed]
        self._engine: AsyncEngine | None = None

    def commit_event(self) -> asyncio.Event:
        """Return an event that is set at each announced commit in this process; whoever asked for it clears it."""
        self._watchers.append(asyncio.Event())
        return self._watchers[-1]

    async def open(self) -> None:
        """Start to connect; returns at once, even when the database is away."""
        await self.pool.open(wait=False)

    async def close(self) -> None:
        """Give every connection back."""
        await self.pool.close(timeout=5)
        if self._engine is not None:
            await self._engine.dispose()

    @asynccontextmanager
    async def transaction(self, *, notify_commit: bool = True) -> AsyncIterator[Transaction]:
        """Run one transaction: committed at the end of the block, rolled back when it raises.

        Whoever waits for `committed` in this process is told, unless it is not to be announced.
        """
        _heed_cancellation()
        async with self.pool.connection() as connection:
            try:
                async with connection.transaction():
                    yield connection
                if notify_commit:
                    self.notify_commit()
            except TRANSIENT_ERRORS as error:
                await self._distrust(connection, error)
                raise

    @asynccontextmanager
    async def statement(self) -> AsyncIterator[Transaction]:
        """Run one statement that is its own transaction, without the round trips of BEGIN and COMMIT."""
        _heed_cancellation()
        async with self.pool.connection() as connection:
            try:
                yield connection
                self.notify_commit()
            except TRANSIENT_ERRORS as error:
                await self._distrust(connection, error)
                raise

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """Open a session that reads."""
        if self._engine is None:
            self._engine = self._make_engine()
        async with AsyncSession(self._engine, expire_on_commit=False) as session:
            yield session

    def mark_unhealthy(self) -> None:
        """Note that the database was away: for a while, connections are tried before they are lent."""
        self._suspect_until = monotonic() + SUSPICION_SECONDS

    async def listener(self) -> Transaction:
        """Open a connection outside the pool, for LISTEN; the caller closes it."""
        return await AsyncConnection.connect(self._conninfo, autocommit=True)

    async def problem(self) -> str | None:
        """Say why the database cannot be used now; None when it can."""
        try:
            async with self.pool.connection(timeout=2) as connection:
                await connection.execute("SELECT 1")
        except TRANSIENT_ERRORS as error:
            return f"database: {type(error).__name__}"
        return None

    def notify_commit(self) -> None:
        """Tell whoever waits for `committed` in this process."""
        for watcher in self._watchers:
            watcher.set()

    async def _distrust(self, connection: Transaction, error: BaseException) -> None:
        """Give a connection up that has turned read-only, and try the others before they are lent."""
        if isinstance(error, UnavailableError):
            return  # something of ours is missing: the connection is as good as before
        if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
            await connection.close()
        self.mark_unhealthy()

    async def _check(self, connection: Transaction) -> None:
        """Try a connection only after trouble: a round trip for each loan would cost every request."""
        if monotonic() < self._suspect_until:
            await AsyncConnectionPool.check_connection(connection)

    async def _configure(self, connection: Transaction) -> None:
        connection.prepare_threshold = 1
        for statement in self._staging:
            await connection.execute(statement)

    def _make_engine(self) -> AsyncEngine:
        async def connect() -> Transaction:
            return await AsyncConnection.connect(self._conninfo)

        where = conninfo_to_dict(self._conninfo)
        return create_async_engine(
            f"postgresql+psycopg://{where.get('host', '')}/",
            async_creator=connect,
            pool_size=2,
            max_overflow=4,
            pool_pre_ping=True,
        )


def _heed_cancellation() -> None:
    """End a task that was cancelled and has not noticed.

    `asyncio.wait_for`, which the driver waits with, drops a cancellation that comes together with what is waited for
    (before Python 3.12). A loop that goes on with another transaction would never end.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
