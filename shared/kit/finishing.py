"""Work that is not left half done when whoever waits for it is told to stop."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def finish(work: Coroutine[Any, Any, T], within: float) -> T:
    """Do work that has so many seconds to come to its end, if it is cancelled meanwhile.

    Raises:
        asyncio.CancelledError: it was, and has ended.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=within)
        task.add_done_callback(_hear)
        task.cancel()
        raise


def _hear(task: asyncio.Future[Any]) -> None:
    """Take note of an error that nobody waits for any more, so that it is not reported as forgotten."""
    if not task.cancelled():
        task.exception()
