"""Deletes old spans in the background."""

import asyncio
import logging
from datetime import timedelta
from typing import Final

from services.metrics.use_cases.spans import prune_spans
from shared.kit.database.database import TRANSIENT_ERRORS, Database

log = logging.getLogger(__name__)

PAUSE_SECONDS: Final = 60.0


class SpanPruner:
    """Deletes spans that are older than `age`, and the oldest of those beyond `most`."""

    def __init__(self, database: Database, age: timedelta, most: int) -> None:
        self._database = database
        self._age = age
        self._most = most

    async def run(self) -> None:
        """Delete old spans every minute until cancelled."""
        while True:
            try:
                await prune_spans(self._database, self._age, self._most)
            except TRANSIENT_ERRORS as error:
                log.warning("old spans are not deleted: database unavailable: %s", type(error).__name__)
            await asyncio.sleep(PAUSE_SECONDS)
