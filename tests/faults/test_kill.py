"""SIGKILL to each service in the middle of two hundred cases: nothing is lost, and nothing happens twice."""

import asyncio
import os
import random
import signal
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.city import RunningCity, running_city
from tests.eventually import eventually
from tests.faults.checker import (
    assert_each_201_is_one_case_with_its_referrals,
    assert_inboxes_are_in_order,
    assert_nothing_happened_twice,
    assert_nothing_waits,
    inbox_records,
)

CASES = 200
KILLS = 3
SERVICES = ("heat-hot-water", "illegal-parking", "rats-or-mice", "pothole-or-street", "noise-from-neighbors")
ANSWERS = {"heat-hot-water": {"attribute[scope]": "apartment", "attribute[missing][]": "heat"}}

pytestmark = pytest.mark.timeout(420)


@pytest.fixture(scope="module")
def city() -> Iterator[RunningCity]:
    """Run a city whose mails are given up soon after their sender has died."""
    with running_city(HANDOFF_SENDING_LEASE_SECONDS="5") as made:
        yield made


async def file_until_201(client: httpx.AsyncClient, city: RunningCity, form: dict[str, str], key: str) -> str:
    """File as a caller does who wants to be sure: again with the same key until it is answered; return the number."""
    headers = {"Authorization": f"Bearer {city.state.api_key}", "Idempotency-Key": key}
    url = f"{city.state.url('intake')}/open311/v2/requests.json"
    async with asyncio.timeout(150):
        while True:
            try:
                answer = await client.post(url, data=form, headers=headers)
            except httpx.TransportError:
                await asyncio.sleep(0.2)
                continue
            if answer.status_code == 201:
                return str(answer.json()[0]["service_request_id"])
            assert answer.status_code in {409, 503}, answer.text
            await asyncio.sleep(0.2)


async def file_all(city: RunningCity) -> list[str]:
    """File two hundred reports, eight at a time; return their numbers."""
    gate = asyncio.Semaphore(8)
    async with httpx.AsyncClient(timeout=20) as client:

        async def one(number: int) -> str:
            service = SERVICES[number % len(SERVICES)]
            form = {"service_code": service, "lat": "40.83", "long": "-73.9137", "email": f"r{number}@example.org"}
            async with gate:
                await asyncio.sleep(0.05)
                return await file_until_201(client, city, form | ANSWERS.get(service, {}), str(uuid4()))

        return await asyncio.gather(*(one(number) for number in range(CASES)))


async def kill_now_and_then(city: RunningCity, name: str, chance: random.Random) -> int:
    """Kill one part a few times, each time when it runs again; return how often."""
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.3, 1.5))
        pid = await asyncio.to_thread(eventually, lambda: city.state.component(name).pid, 40)
        os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(eventually, lambda old=pid: city.state.component(name).pid not in {None, old}, 40)
    return KILLS


def settled(city: RunningCity, cases: int) -> dict[str, Any] | None:
    """Return metrics' account once every case is closed or at triage, and no mail is on its way."""
    account = city.ask("metrics", "/reconciliation").json()
    open_cases = city.rows(
        "SELECT count(*) FROM intake.cases c WHERE status <> 'closed'"
        " AND NOT EXISTS (SELECT 1 FROM routing.triage t WHERE t.case_id = c.case_id AND t.ended_at IS NULL)"
    )
    waiting = city.rows("SELECT count(*) FROM notifications.deliveries WHERE state IN ('queued', 'sending', 'waiting')")
    over = account["accepted"] >= cases and account["pending"] == 0 and open_cases == [(0,)] and waiting == [(0,)]
    return account if over else None


@pytest.mark.parametrize("name", ["intake", "routing", "notifications", "metrics", "agencies"])
async def test_killing_one_process_loses_nothing_and_repeats_nothing(city: RunningCity, name: str) -> None:
    [(before,)] = city.rows("SELECT count(*) FROM intake.cases")
    chance = random.Random(name)
    numbers, kills = await asyncio.gather(file_all(city), kill_now_and_then(city, name, chance))
    assert kills == KILLS
    account = await asyncio.to_thread(eventually, lambda: settled(city, before + CASES), 120)
    assert_each_201_is_one_case_with_its_referrals(city, numbers)
    assert_inboxes_are_in_order(await inbox_records(city))
    assert_nothing_happened_twice(city)
    await asyncio.to_thread(eventually, lambda: _quiet(city), 30)
    assert account["accepted"] == before + CASES


def _quiet(city: RunningCity) -> bool | None:
    try:
        assert_nothing_waits(city)
    except AssertionError:
        return None
    return True
