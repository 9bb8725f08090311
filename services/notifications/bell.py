"""A bell: the handlers ring it when there is something to send."""

import asyncio


class Bell:
    """Wakes everybody who waits for it, once for each time it is rung."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake everybody who waits now."""
        rung, self._rung = self._rung, asyncio.Event()
        rung.set()

    async def heard(self, within: float) -> bool:
        """Wait until it is rung, so many seconds at most; tell whether it was."""
        try:
            async with asyncio.timeout(within):
                await self._rung.wait()
        except TimeoutError:
            return False
        return True
