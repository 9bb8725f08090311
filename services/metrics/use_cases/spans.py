"""Stores the spans that the services send, and deletes old ones."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from services.metrics.domain.spans import Span
from services.metrics.store.spans import delete_old_spans, estimate_spans, insert_spans
from shared.kit.database.database import Database

MOST_DELETES: Final = 100
"""Transactions in one run; what is left waits for the next run."""


async def store_spans(database: Database, spans: Iterable[Span]) -> None:
    """Store these spans, each once."""
    async with database.transaction() as tx:
        await insert_spans(tx, spans)


async def prune_spans(database: Database, age: timedelta, most: int) -> None:
    """Delete spans older than `age`, and the oldest of those beyond `most`, in short transactions."""
    async with database.transaction() as tx:
        excess = await estimate_spans(tx) - most
    for _ in range(MOST_DELETES):
        async with database.transaction() as tx:
            deleted = await delete_old_spans(tx, age, excess)
        excess -= deleted
        if not deleted:
            break
