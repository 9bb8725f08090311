"""Time: the clock, which callers pass as an argument; pauses between retries; work that outlives a cancellation.

Nothing else in the services reads the machine's clock, so that a test sets the time.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

Clock = Callable[[], datetime]
"""Returns the current time, in UTC."""


def utc_now() -> datetime:
    """Return the machine's time, in UTC."""
    return datetime.now(UTC)


class ExponentialBackoff:
    """Pauses between retries: the first lasts `first` seconds, each further one twice as long, up to `longest`."""

    def __init__(self, first: float = 0.05, longest: float = 10.0) -> None:
        self.first = first
        self.longest = longest
        self._next = first

    async def pause(self) -> None:
        """Sleep, twice as long as the last time."""
        pause, self._next = self._next, min(self._next * 2, self.longest)
        await asyncio.sleep(pause)

    def reset(self) -> None:
        """Start again with the first pause; call it after a success."""
        self._next = self.first


T = TypeVar("T")


async def shield_with_grace(work: Coroutine[Any, Any, T], grace: float) -> T:
    """Run `work`; when the caller is cancelled, let it go on for up to `grace` seconds before it is cancelled, too.

    It is for work that must not stop half-way, such as a client that opens connections, which it alone can close.

    Raises:
        asyncio.CancelledError: the caller was cancelled; `work` has ended, or has been cancelled.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=grace)
        # The caller gets CancelledError, whatever `work` raised. Read that, or asyncio logs it as never retrieved.
        task.add_done_callback(_retrieve_exception)
        task.cancel()
        raise


def _retrieve_exception(task: asyncio.Future[Any]) -> None:
    if not task.cancelled():
        task.exception()
