"""What routing holds about a case is given to operators, with the words that can be opened."""

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from services.routing.http.api.subject_export import subject_export_routes
from shared.events.agency_updates import ReferralRejected
from shared.kit.http.auth import hash_key
from tests.service.routing.harness import RoutingHarness
from tests.service.routing.test_agency_updates import WORDS, submit, update

pytestmark = pytest.mark.servers

KEY = hash_key("a key of the staff")


async def ask(harness: RoutingHarness, case_id: object, key: str = KEY) -> httpx.Response:
    """Ask what is held about a case."""
    transport = httpx.ASGITransport(app=Starlette(routes=subject_export_routes(harness.context, harness.database, KEY)))
    async with httpx.AsyncClient(transport=transport, base_url="http://routing") as client:
        return await client.get(f"/cases/{case_id}/held", headers={"authorization": f"Bearer {key}"})


async def test_everything_is_given_and_words_are_opened_as_long_as_there_is_a_key(harness: RoutingHarness) -> None:
    filed = await submit(harness, "housing")
    await harness.consume_updates("homes", update(harness, filed, ReferralRejected, **WORDS))
    held: dict[str, list[dict[str, Any]]] = (await ask(harness, filed.case_id)).json()["held"]
    assert [row["state"] for row in held["referrals"]] == ["rejected", "requested"]
    assert {row["agency"] for row in held["receipts"]} == {"homes", "clinic"}
    assert "Mrs Ruiz was out" in [row["words"] for row in held["referral_changes"]]
    assert len(held["outbox"]) == len(harness.outbox())
    harness.erase(filed)
    held = (await ask(harness, filed.case_id)).json()["held"]
    assert {row["words"] for row in held["referral_changes"]} == {None}


async def test_a_request_without_the_key_is_told_nothing(harness: RoutingHarness) -> None:
    filed = await submit(harness, "housing")
    assert (await ask(harness, filed.case_id, "wrong")).status_code == 401


async def test_of_an_unknown_case_nothing_is_held(harness: RoutingHarness) -> None:
    answer = await ask(harness, "00000000-0000-4000-8000-000000000000")
    assert answer.status_code == 200
    assert not any(answer.json()["held"].values())
