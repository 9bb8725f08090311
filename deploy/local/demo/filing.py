"""Files reports as any caller of Open311 does: by HTTP, each with a key of its own, again until it is answered."""

import asyncio
from collections.abc import Iterable
from secrets import token_hex

import httpx

from deploy.local.generate import Form

CALLERS = 8
A_SECOND = 100.0
TRIES, PAUSE = 60, 0.5
AGAIN = frozenset({409, 429})


class Filing:
    """Files reports, and keeps count of what was answered with 201 and what was refused."""

    def __init__(self, client: httpx.AsyncClient, intake: str, api_key: str, pause: float = PAUSE) -> None:
        """Take where to file, the key to do so, and the seconds between two tries; nothing is sent yet."""
        self._pause = pause
        self._client = client
        self._url = f"{intake}/open311/v2/requests.json"
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._run = token_hex(6)
        self.filed = 0
        self.numbers: set[str] = set()
        self.refused: list[str] = []

    async def file_all(self, forms: Iterable[Form]) -> None:
        """File every report, several at once, at a pace that can be watched."""
        gate = asyncio.Semaphore(CALLERS)
        async with asyncio.TaskGroup() as group:
            for number, form in enumerate(forms):
                await gate.acquire()
                filing = group.create_task(self._file(number, form))
                filing.add_done_callback(lambda _: gate.release())
                await asyncio.sleep(1 / A_SECOND)

    async def _file(self, number: int, form: Form) -> None:
        """File one report. The key makes it safe to ask again when no answer came."""
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
                if not response.is_server_error and response.status_code not in AGAIN:
                    break
            await asyncio.sleep(self._pause)
        self.refused.append(answer)

    def _count(self, rows: list[dict[str, str]]) -> None:
        self.filed += 1
        self.numbers.add(rows[0]["service_request_id"])
