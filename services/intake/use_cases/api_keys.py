"""API keys: which callers may write. They are kept in memory, so that a report costs no look-up in the database."""

from dataclasses import dataclass

from services.intake.store import api_keys
from services.intake.store.api_keys import Caller
from shared.kit.database.database import Database
from shared.kit.http.auth import hash_key

FILE_SCOPE, IMPORT_SCOPE, CONSENT_SCOPE, ERASE_SCOPE = "file", "import", "consent", "erase"
"""The scopes: to file reports, import records, grant and withdraw consents, and erase persons."""


@dataclass(slots=True)
class ApiKeys:
    """The keys that are not revoked, as of the last refresh; `first_key` comes from the settings."""

    database: Database
    first_key: str | None = None
    _callers: dict[str, Caller] | None = None

    async def authorize(self, key: str, scope: str) -> str | None:
        """Return the name of the caller who owns this key; None for an unknown key, and for one without the scope.

        Raises:
            psycopg.Error: the keys have never been read, and the database is unavailable.
        """
        if self._callers is None:
            await self.refresh()
        caller = (self._callers or {}).get(hash_key(key))
        return caller.name if caller and scope in caller.scopes else None

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
            await api_keys.upsert_key(
                connection, hash_key(self.first_key or ""), "settings", (FILE_SCOPE, IMPORT_SCOPE, CONSENT_SCOPE)
            )
