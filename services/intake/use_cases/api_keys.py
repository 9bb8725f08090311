"""API keys: who may write. Kept in memory and read again every few seconds, so that a report costs no look-up."""

import asyncio
import logging
from dataclasses import dataclass

from services.intake.store import api_keys
from services.intake.store.api_keys import Caller
from shared.kit.database.database import AWAY, Database
from shared.kit.http.auth import key_hash

log = logging.getLogger(__name__)

REREAD_SECONDS = 5.0
FILE, IMPORT, CONSENT, ERASE = "file", "import", "consent", "erase"
"""The scopes: to file reports, import records, keep and withdraw consents, and erase persons."""


@dataclass(slots=True)
class ApiKeys:
    """The keys that count; a key that is revoked stops to count within seconds."""

    database: Database
    first_key: str | None = None
    _callers: dict[str, Caller] | None = None

    async def caller_of(self, key: str) -> Caller | None:
        """Return who shows this key.

        Raises:
            psycopg.Error: the keys have not been read yet, and the database is away.
        """
        if self._callers is None:
            await self._read()
        return (self._callers or {}).get(key_hash(key))

    async def keep_reading(self) -> None:
        """Read the keys again for as long as the service runs."""
        while True:
            try:
                await self._read()
            except AWAY as error:
                log.warning("API keys cannot be read now: %s", type(error).__name__)
            await asyncio.sleep(REREAD_SECONDS)

    async def _read(self) -> None:
        if self._callers is None and self.first_key:
            await self._keep_first()
        async with self.database.statement() as connection:
            self._callers = await api_keys.list_callers(connection)

    async def _keep_first(self) -> None:
        async with self.database.statement() as connection:
            await api_keys.keep_key(connection, key_hash(self.first_key or ""), "settings", (FILE, IMPORT, CONSENT))
