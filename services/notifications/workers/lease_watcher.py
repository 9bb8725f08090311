"""Ends the mails whose worker died while it sent them."""

import asyncio

from services.notifications.use_cases.deliveries import DeliveryService


class LeaseWatcher:
    """Looks for mails that have been in the state `sending` for longer than the lease."""

    def __init__(self, deliveries: DeliveryService) -> None:
        self._deliveries = deliveries

    async def run(self) -> None:
        """Look four times per lease until cancelled; the service restarts the loop after an error."""
        while True:
            await self._deliveries.give_up_interrupted()
            await asyncio.sleep(self._deliveries.lease.total_seconds() / 4)
