"""API keys: which callers may write. They are kept in memory, so that a report costs no look-up in the database."""

from dataclasses import dataclass

from services.intake.store import api_keys
from services.intake.store.api_keys import Caller
from shared.kit.database.database import Database
from shared.kit.http.auth import hash_key

FILE, IMPORT, CONSENT, ERASE = "file", "import", "consent", "erase"
"""The scopes: to file reports, import records, keep and withdraw consents, and erase persons."""


@dataclass(slots=True)
class ApiKeys:
    """The keys that are not revoked, as of the last refresh; `first_key` comes from the settings."""

    database: Database
    first_key: str | None = None
    _callers: dict[str, Caller] | None = None

    async def caller_of(self, key: str) -> Caller | None:
        """Return the caller who owns this key.

        Raises:
            psycopg.Error: the keys have never been read, and the database is unavailable.
        """
        if self._callers is None:
            await self.refresh()
        return (self._callers or {}).get(hash_key(key))

    async def refresh(self) -> None:
        """Read the keys from the database; the first time, the key of the settings is stored before.

        Raises:
            psycopg.Error: the database is unavailable.
        """
        if self._callers is None and self.first_key:
            await self._store_first()
        async with self.database.statement() as connection:
            self._callers = await api_keys.list_callers(connection)

    async def _store_first(self) -> None:
        async with self.database.statement() as connection:
            await api_keys.upsert_key(connection, hash_key(self.first_key or ""), "settings", (FILE, IMPORT, CONSENT))
