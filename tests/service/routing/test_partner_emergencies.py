"""Accesses in emergencies on a real database: for hours at most, told, reviewed, and never to what rests on consent."""

import base64
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from shared.events.agency_updates import ReferralRejected
from shared.events.reasons import Reason
from shared.kit.http.auth import hash_key
from tests.builders import HOUR, NOON, consent
from tests.service.routing.harness import RoutingHarness
from tests.service.routing.partner_client import REASON, STAFF_KEY, agency, caller, path_of, referral_of
from tests.service.routing.test_consents import FOREVER, to_refuge, violent
from tests.service.routing.test_receipts import hindered

pytestmark = pytest.mark.servers

STATED = {"reason": REASON, "caseworker": "Kim Lee"}
KIM = {"authorization": "Basic " + base64.b64encode(f"kim:{STAFF_KEY}".encode()).decode()}


@pytest.fixture
async def homes(harness: RoutingHarness) -> AsyncIterator[httpx.AsyncClient]:
    """An agency with a referral, in a case in which another has one."""
    await harness.consume(harness.file("housing", "health"))
    harness.clear_outbox()
    async with agency(harness) as client:
        yield client


async def open_all(harness: RoutingHarness, homes: httpx.AsyncClient, **said: Any) -> httpx.Response:
    """Open what is withheld from the agency."""
    return await homes.post(f"{path_of(referral_of(harness))}/emergency", json={**STATED, **said})


async def identity(harness: RoutingHarness, homes: httpx.AsyncClient) -> Any:
    """What the agency reads of who it is about."""
    return (await homes.get(path_of(referral_of(harness)))).json()["released"]["identity"]


async def test_what_is_withheld_is_open_for_an_hour_and_not_a_moment_longer(
    harness: RoutingHarness, homes: httpx.AsyncClient
) -> None:
    assert await identity(harness, homes) is None
    answer = await open_all(harness, homes)
    assert (answer.status_code, answer.json()["ends_at"]) == (201, "2026-03-02T13:00:00Z")
    assert (await identity(harness, homes))["first_name"] == "Ana"
    harness.clock.shown = NOON + HOUR - timedelta(microseconds=1)
    assert (await identity(harness, homes))["first_name"] == "Ana"
    harness.clock.shown = NOON + HOUR
    assert await identity(harness, homes) is None


async def test_four_hours_are_the_longest_and_then_nothing_is_open(
    harness: RoutingHarness, homes: httpx.AsyncClient
) -> None:
    assert (await open_all(harness, homes, minutes=241)).status_code == 422
    assert (await open_all(harness, homes, minutes=240)).status_code == 201
    harness.clock.shown = NOON + 4 * HOUR - timedelta(microseconds=1)
    assert await identity(harness, homes) is not None
    harness.clock.shown = NOON + 4 * HOUR
    assert await identity(harness, homes) is None
    with pytest.raises(psycopg.errors.CheckViolation, match="a_few_hours_at_most"):
        harness.execute("UPDATE emergency_accesses SET ends_at = ends_at + interval '1 second'")


async def test_a_read_during_it_leaves_a_receipt_that_names_the_access(
    harness: RoutingHarness, homes: httpx.AsyncClient
) -> None:
    access_id = (await open_all(harness, homes, groups=["identity", "narrative"])).json()["access_id"]
    read = (await homes.get(path_of(referral_of(harness)))).json()
    assert read["emergency_until"] == "2026-03-02T13:00:00Z"
    ((channel, groups, grounds),) = harness.rows(
        "SELECT channel, groups, grounds FROM receipts WHERE receipt_id = %s", read["receipt_id"]
    )
    assert channel == "emergency"
    assert "identity" in groups
    assert {"kind": "emergency", "id": access_id, "version": None} in grounds
    assert "household" in read["withheld"], "what was not asked for stays closed"
    made = [row.value for row in harness.outbox("routing.referrals.v1") if row.type == "disclosure.made.v1"]
    assert made[-1]["channel"] == "emergency"


async def test_it_is_told_to_services_and_to_the_other_agencies_of_the_case(
    harness: RoutingHarness, homes: httpx.AsyncClient
) -> None:
    access_id = (await open_all(harness, homes)).json()["access_id"]
    assert [(row.topic, row.type) for row in harness.outbox()] == [
        ("routing.referrals.v1", "emergency.opened.v1"),
        ("agency.clinic.inbox.v1", "emergency.access.v1"),
    ]
    opened, told = (row.value for row in harness.outbox())
    assert (opened["agency"], opened["access_id"], opened["ends_at"]) == ("homes", access_id, "2026-03-02T13:00:00Z")
    assert (told["agency"], told["referral_id"]) == ("homes", str(referral_of(harness, "clinic")))
    assert not [row for row in harness.outbox() if "danger" in row.text or "Kim" in row.text]


async def test_an_agency_that_works_on_it_no_more_is_not_told_and_opens_nothing(
    harness: RoutingHarness, homes: httpx.AsyncClient
) -> None:
    ((case,),) = harness.rows("SELECT case_id FROM cases")
    said = {"case_id": case, "occurred_at": NOON, "reason": Reason.NO_CAPACITY, "explanation": "full"}
    await harness.consume_updates("clinic", ReferralRejected(**said, referral_id=referral_of(harness, "clinic")))
    harness.clear_outbox()
    await open_all(harness, homes)
    assert [row.topic for row in harness.outbox()] == ["routing.referrals.v1"]
    async with agency(harness, "clinic") as clinic:
        answer = await clinic.post(f"{path_of(referral_of(harness, 'clinic'))}/emergency", json=STATED)
    assert (answer.status_code, "not open" in answer.json()["error"]) == (409, True)


async def test_a_report_that_rests_on_consent_cannot_be_opened(harness: RoutingHarness) -> None:
    to_refuge(harness)
    harness.consent(consent("clinic", number=2, groups=["substance_use"], ends_at=FOREVER))  # type: ignore[list-item]
    await harness.consume(violent(harness), harness.file("health", number=2, service_code="drugs"))
    before = harness.snapshot()
    for name in ("refuge", "clinic"):
        async with agency(harness, name) as caseworkers:
            answer = await caseworkers.post(f"{path_of(referral_of(harness, name))}/emergency", json=STATED)
            assert (answer.status_code, "protected" in answer.json()["error"]) == (409, True)
    assert harness.snapshot() == before
    assert harness.rows("SELECT count(*) FROM emergency_accesses") == [(0,)]


async def test_a_protected_report_whose_consent_has_ended_is_unknown(harness: RoutingHarness) -> None:
    given = to_refuge(harness)
    await harness.consume(violent(harness))
    harness.withdraw_consent(given)
    async with agency(harness, "refuge") as refuge:
        answer = await refuge.post(f"{path_of(referral_of(harness, 'refuge'))}/emergency", json=STATED)
    assert answer.status_code == 404


async def test_groups_that_rest_on_consent_cannot_be_named_nor_kept(
    harness: RoutingHarness, homes: httpx.AsyncClient
) -> None:
    for group in ("victim_services", "substance_use"):
        answer = await open_all(harness, homes, groups=["identity", group])
        assert (answer.status_code, "consent" in answer.json()["error"]) == (422, True)
    answer = await open_all(harness, homes)
    assert not {"victim_services", "substance_use"} & set(answer.json()["groups"])
    with pytest.raises(psycopg.errors.CheckViolation, match="nothing_that_rests_on_consent"):
        harness.execute("UPDATE emergency_accesses SET groups = '{victim_services}'")


async def test_an_access_to_a_report_that_has_become_protected_opens_nothing(
    harness: RoutingHarness, homes: httpx.AsyncClient
) -> None:
    await open_all(harness, homes)
    harness.execute("UPDATE cases SET report = replace(report, '\"repair\"', '\"violence\"')")
    assert (await homes.get(path_of(referral_of(harness)))).status_code == 404


WRONG: dict[str, dict[str, Any]] = {
    "no reason": {"reason": ""},
    "nine characters": {"reason": " because.. "},
    "a novel": {"reason": "x" * 2001},
    "nobody": {"caseworker": " "},
    "no time": {"minutes": 0},
    "no group": {"groups": []},
    "an unknown group": {"groups": ["shoe_size"]},
    "an unknown word": {"urgent": True},
}


@pytest.mark.parametrize("name", WRONG)
async def test_an_access_that_is_not_well_stated_is_refused(
    harness: RoutingHarness, homes: httpx.AsyncClient, name: str
) -> None:
    answer = await open_all(harness, homes, **WRONG[name])
    assert answer.status_code == 422
    assert harness.rows("SELECT count(*) FROM emergency_accesses") == [(0,)]


async def test_a_body_without_end_is_refused(harness: RoutingHarness, homes: httpx.AsyncClient) -> None:
    answer = await open_all(harness, homes, caseworker="x" * 20_000)
    assert answer.status_code == 413


async def test_strangers_open_nothing(harness: RoutingHarness, homes: httpx.AsyncClient) -> None:
    assert (await homes.post(f"{path_of(uuid4())}/emergency", json=STATED)).status_code == 404
    foreign = path_of(referral_of(harness, "clinic"))
    assert (await homes.post(f"{foreign}/emergency", json=STATED)).status_code == 404
    async with caller(harness, None) as stranger:
        assert (await stranger.post(f"{foreign}/emergency", json=STATED)).status_code == 401


async def test_what_is_open_already_is_not_opened_again(harness: RoutingHarness, homes: httpx.AsyncClient) -> None:
    assert (await open_all(harness, homes, groups=["identity"])).status_code == 201
    assert (await open_all(harness, homes, groups=["identity"])).status_code == 409
    assert (await open_all(harness, homes, groups=["identity", "narrative"])).json()["groups"] == ["narrative"]


async def test_nothing_is_read_in_an_emergency_without_a_receipt(
    harness: RoutingHarness, homes: httpx.AsyncClient
) -> None:
    await open_all(harness, homes)
    with hindered(harness, "denied"):
        answer = await homes.get(path_of(referral_of(harness)))
    assert answer.status_code == 503
    assert "Ana" not in answer.text


async def test_an_erased_person_has_nothing_to_open(harness: RoutingHarness, homes: httpx.AsyncClient) -> None:
    with psycopg.connect(harness.own.admin_url) as connection:
        connection.execute("DELETE FROM vault.person_keys")
    assert (await open_all(harness, homes)).status_code == 409


async def test_the_reason_is_sealed_and_staff_read_it(harness: RoutingHarness, homes: httpx.AsyncClient) -> None:
    await open_all(harness, homes)
    assert "danger" not in str(harness.rows("SELECT * FROM emergency_accesses"))
    async with caller(harness, STAFF_KEY) as staff:
        [shown] = (await staff.get("/emergencies")).json()["emergencies"]
        assert (shown["reason"], shown["caseworker"], shown["agency"]) == (REASON, "Kim Lee", "homes")
        assert (shown["late"], shown["justified"]) == (False, None)
        with psycopg.connect(harness.own.admin_url) as connection:
            connection.execute("DELETE FROM vault.person_keys")
        [shown] = (await staff.get("/emergencies")).json()["emergencies"]
        assert shown["reason"] is None
    async with agency(harness) as stranger:
        assert (await stranger.get("/emergencies")).status_code == 401


async def test_a_reviewer_says_once_whether_it_was_justified(harness: RoutingHarness, homes: httpx.AsyncClient) -> None:
    access_id = (await open_all(harness, homes)).json()["access_id"]
    async with caller(harness, STAFF_KEY) as staff:
        said = {"justified": False, "note": "Ana was safe", "by": "lou"}
        assert (await staff.post(f"/emergencies/{access_id}", json={"justified": True})).status_code == 422
        assert (await staff.post(f"/emergencies/{uuid4()}", json=said)).status_code == 404
        assert (await staff.post(f"/emergencies/{access_id}", json=said)).status_code == 200
        assert (await staff.post(f"/emergencies/{access_id}", json=said)).status_code == 409
        [shown] = (await staff.get("/emergencies")).json()["emergencies"]
    assert (shown["justified"], shown["reviewed_by"], shown["note"]) == (False, "staff:lou", "Ana was safe")
    assert "safe" not in str(harness.rows("SELECT note FROM emergency_accesses"))


async def test_the_page_shows_what_waits_first_and_flags_what_has_waited_too_long(
    harness: RoutingHarness, homes: httpx.AsyncClient
) -> None:
    first = (await open_all(harness, homes, minutes=1)).json()["access_id"]
    page = {**KIM, "accept": "text/html"}
    async with caller(harness, None) as staff:
        done = await staff.post(
            f"/emergencies/{first}",
            headers={**KIM, "origin": "http://routing"},
            data={"justified": "true", "note": "yes"},
        )
        assert (done.status_code, done.headers["location"]) == (303, "/emergencies")
        foreign = {**KIM, "origin": "http://elsewhere.example"}
        assert (await staff.post(f"/emergencies/{first}", headers=foreign, data={})).status_code == 403
        harness.clock.shown = NOON + HOUR
        second = (await open_all(harness, homes)).json()["access_id"]
        listed = (await staff.get("/emergencies", headers=KIM)).json()["emergencies"]
        assert [each["access_id"] for each in listed] == [second, first]
        assert "72 hours" not in (await staff.get("/emergencies", headers=page)).text
        harness.clock.shown = NOON + 74 * HOUR
        shown = await staff.get("/emergencies", headers=page)
    assert shown.text.count(f'href="/sharing?of={referral_of(harness)}&amp;agency=homes"') == 2
    assert shown.text.count("Not reviewed for 72 hours") == 1
    assert shown.text.count("<form") == 1
    assert "says staff:kim" in shown.text
    assert hash_key(STAFF_KEY) not in shown.text
