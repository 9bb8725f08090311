"""Pauses after failures, which grow until something succeeds."""

import asyncio


class Pauses:
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
