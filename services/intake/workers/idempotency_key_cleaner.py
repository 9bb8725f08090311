"""Deletes expired idempotency keys."""

import asyncio
from dataclasses import dataclass
from typing import Final

from services.intake.store.new_cases import delete_expired_keys
from shared.kit.database.database import Database

PAUSE_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class IdempotencyKeyCleaner:
    """Deletes idempotency keys that are older than callers may rely on them."""

    database: Database

    async def run(self) -> None:
        """Delete expired keys for as long as the service runs; each transaction deletes a bounded number."""
        while True:
            async with self.database.transaction() as tx:
                await delete_expired_keys(tx)
            await asyncio.sleep(PAUSE_SECONDS)
