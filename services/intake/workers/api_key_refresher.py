"""Reads the API keys again every few seconds, so that a revoked key stops working without a restart."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

from services.intake.use_cases.api_keys import ApiKeys
from shared.kit.database.database import TRANSIENT_ERRORS

log = logging.getLogger(__name__)

REFRESH_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class ApiKeyRefresher:
    """Refreshes the API keys of this process."""

    keys: ApiKeys

    async def run(self) -> None:
        """Refresh the keys for as long as the service runs; while the database is unavailable the last ones count."""
        while True:
            try:
                await self.keys.refresh()
            except TRANSIENT_ERRORS as error:
                log.warning("API keys not refreshed: database unavailable (%s)", type(error).__name__)
            await asyncio.sleep(REFRESH_SECONDS)
