"""Files reports as any client of Open311 does: by HTTP, with an idempotency key, and with retries."""

import asyncio
from collections.abc import Iterable
from secrets import token_hex

import httpx

from deploy.local.generate import Form

CONCURRENT_REQUESTS = 8
REPORTS_PER_SECOND = 100.0
TRIES, RETRY_SECONDS = 60, 0.5
RETRIED_STATUSES = frozenset({409, 429})


class ReportFiler:
    """Files reports, and counts those answered with 201 and those refused."""

    def __init__(self, client: httpx.AsyncClient, intake: str, api_key: str, pause: float = RETRY_SECONDS) -> None:
        """Take intake's base URL, its API key, and the seconds between two tries."""
        self._pause = pause
        self._client = client
        self._url = f"{intake}/open311/v2/requests.json"
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._run = token_hex(6)
        self.filed = 0
        self.numbers: set[str] = set()
        self.refused: list[str] = []

    async def file_all(self, forms: Iterable[Form]) -> None:
        """File every report, several at once, at most `REPORTS_PER_SECOND`, so that a person can watch."""
        slots = asyncio.Semaphore(CONCURRENT_REQUESTS)
        async with asyncio.TaskGroup() as group:
            for number, form in enumerate(forms):
                await slots.acquire()
                request = group.create_task(self._file(number, form))
                request.add_done_callback(lambda _: slots.release())
                await asyncio.sleep(1 / REPORTS_PER_SECOND)

    async def _file(self, number: int, form: Form) -> None:
        """File one report. With its idempotency key a retry after a lost answer does not create a second case."""
        headers = {**self._headers, "Idempotency-Key": f"demo-{self._run}-{number}"}
        answer = "no answer"
        for _ in range(TRIES):
            try:
                response = await self._client.post(self._url, data=form, headers=headers)
            except httpx.TransportError as error:
                answer = type(error).__name__
            else:
                if response.status_code == httpx.codes.CREATED:
                    self._count(response.json())
                    return
                answer = f"{response.status_code}: {response.text[:200]}"
                if not response.is_server_error and response.status_code not in RETRIED_STATUSES:
                    break
            await asyncio.sleep(self._pause)
        self.refused.append(answer)

    def _count(self, rows: list[dict[str, str]]) -> None:
        self.filed += 1
        self.numbers.add(rows[0]["service_request_id"])
