"""The time, as an argument: nothing else in the house reads a clock."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

Clock = Callable[[], datetime]
"""Gives the present moment, in UTC."""


def utc_now() -> datetime:
    """Return the machine's time, in UTC."""
    return datetime.now(UTC)


class ExponentialBackoff:
    """Pauses of `first` seconds, doubled up to `longest`."""

    def __init__(self, first: float = 0.05, longest: float = 10.0) -> None:
        self.first = first
        self.longest = longest
        self._next = first

    async def take(self) -> None:
        """Pause, longer than the last time."""
        pause, self._next = self._next, min(self._next * 2, self.longest)
        await asyncio.sleep(pause)

    def reset(self) -> None:
        """Begin with the short pause again."""
        self._next = self.first


T = TypeVar("T")


async def shield_with_grace(work: Coroutine[Any, Any, T], within: float) -> T:
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
