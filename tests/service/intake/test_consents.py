"""A consent and its event are committed together; a withdrawal ends the consent and is announced once."""

import asyncio
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import pytest

from services.intake.use_cases.consents import withdraw_consent
from shared.events.intake import ConsentGranted
from shared.events.topics import CASES
from shared.kit.observability.traces import new_traceparent
from shared.kit.vault.consents import lock_consents
from tests.service.intake.harness import STAFF, IntakeHarness
from tests.unit.intake.fixtures import form

pytestmark = pytest.mark.servers

HEALTH = {"consent[recipients]": "clinic", "consent[groups]": "need,health"}
RECORD = {"signed_by": "Ana Alvarez", "signed_at": "2026-03-01", "method": "paper"}


@pytest.fixture(autouse=True)
def now(harness: IntakeHarness) -> None:
    """The consents of these tests end by the database's clock."""
    harness.clock.shown = datetime.now(UTC)


def in_days(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


def body(**changed: Any) -> dict[str, Any]:
    consent = {"recipients": ["clinic"], "groups": ["need", "health"], "ends_at": in_days(30)} | changed
    return {"consent": consent, "record": RECORD}


async def filed(harness: IntakeHarness, **fields: str) -> str:
    response = await harness.file(form(**fields))
    assert response.status_code == HTTPStatus.CREATED, response.text
    return str(response.json()[0]["service_request_id"])


def consents(harness: IntakeHarness) -> list[Any]:
    return harness.rows("SELECT recipients, groups, purpose, how, granted_by FROM vault.consents ORDER BY granted_at")


async def test_a_report_is_filed_with_its_consent_in_one_transaction(harness: IntakeHarness) -> None:
    await filed(harness, **HEALTH, **{"consent[ends_at]": in_days(30)})

    assert consents(harness) == [(["clinic"], ["health", "need"], "service-delivery", "api", "settings")]
    assert [(said["type"], said["sequence"]) for said in harness.outbox()] == [
        ("case.submitted.v1", 1),
        ("consent.granted.v1", 2),
    ]
    (row,) = harness.rows("SELECT value, classification FROM outbox WHERE event_type = 'consent.granted.v1'")
    event = CASES.events.validate_json(row[0])
    assert isinstance(event, ConsentGranted)
    assert (event.recipients, event.purpose, row[1]) == (("clinic",), "service-delivery", "restricted")


async def test_a_report_with_a_consent_and_a_key_is_filed_once(harness: IntakeHarness) -> None:
    fields = form(**HEALTH, **{"consent[ends_at]": in_days(30)})

    first, again = await harness.file(fields, key="k"), await harness.file(fields, key="k")

    assert first.json() == again.json()
    assert len(consents(harness)) == 1
    assert len(harness.outbox()) == 2


async def test_nothing_is_stored_of_a_report_with_an_invalid_consent(harness: IntakeHarness) -> None:
    refused = await harness.file(form(**HEALTH, **{"consent[ends_at]": in_days(800)}))
    stranger = await harness.file(
        form(**HEALTH | {"consent[recipients]": "police"}, **{"consent[ends_at]": in_days(3)})
    )

    assert refused.status_code == stranger.status_code == HTTPStatus.BAD_REQUEST
    assert "consent[ends_at]" in refused.json()[0]["description"]
    assert "consent[recipients]" in stranger.json()[0]["description"]
    assert set(harness.count().values()) == {0}
    assert consents(harness) == []


async def test_a_table_that_refuses_a_consent_leaves_no_case_behind(harness: IntakeHarness) -> None:
    harness.rows("ALTER TABLE vault.consents ADD CONSTRAINT nothing_fits CHECK (false)")

    response = await harness.file(form(**HEALTH, **{"consent[ends_at]": in_days(30)}))

    assert response.status_code == HTTPStatus.INTERNAL_SERVER_ERROR
    assert set(harness.count().values()) == {0}


async def test_a_caseworker_keeps_a_consent_with_its_sealed_record_lists_and_withdraws_it(
    harness: IntakeHarness,
) -> None:
    number = await filed(harness)

    granted = await harness.call("POST", f"cases/{number}/consents", json=body(), headers={"Idempotency-Key": "k"})
    again = await harness.call("POST", f"cases/{number}/consents", json=body(ends_at=granted.json()["ends_at"]))
    assert granted.status_code == again.status_code == HTTPStatus.CREATED
    listed = (await harness.call("GET", f"cases/{number}/consents")).json()
    first = granted.json()["consent_id"]
    ended = [await harness.call("DELETE", f"cases/{number}/consents/{first}") for _ in range(2)]

    assert [each["how"] for each in listed] == ["caseworker", "caseworker"]
    assert listed[0] == granted.json()
    assert ended[0].json() == ended[1].json()
    assert ended[0].json()["withdrawn_at"]
    assert [said["type"] for said in harness.outbox()] == [
        "case.submitted.v1",
        "consent.granted.v1",
        "consent.granted.v1",
        "consent.withdrawn.v1",
    ]
    assert "Ana" not in str(harness.snapshot())
    held = (await harness.call("GET", f"persons/{number}", STAFF)).json()
    assert [consent["record"] for consent in held["consents"]] == [RECORD, RECORD]


async def test_the_same_consent_under_the_same_key_is_granted_once(harness: IntakeHarness) -> None:
    number = await filed(harness)
    sent = body()

    responses = await asyncio.gather(
        *(
            harness.call("POST", f"cases/{number}/consents", json=sent, headers={"Idempotency-Key": "k"})
            for _ in range(5)
        )
    )

    assert {response.status_code for response in responses} == {HTTPStatus.CREATED}
    assert len({response.json()["consent_id"] for response in responses}) == 1
    assert len(consents(harness)) == 1
    assert [said["type"] for said in harness.outbox()] == ["case.submitted.v1", "consent.granted.v1"]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"consent": {"recipients": ["clinic"]}, "record": RECORD}, "consent[groups] is required"),
        ({"record": RECORD}, "are required"),
        (body() | {"record": {}}, "record[signed_by] is required"),
        (body() | {"record": RECORD | {"method": "shouting"}}, "record[method] must be one of"),
        (body() | {"record": RECORD | {"signed_at": "lately"}}, "record[signed_at] must be a day"),
        (body() | {"record": RECORD | {"signed_by": "x" * 201}}, "record[signed_by] is longer"),
    ],
)
async def test_a_consent_without_all_that_it_needs_is_refused(
    harness: IntakeHarness, sent: dict[str, Any], words: str
) -> None:
    number = await filed(harness)

    response = await harness.call("POST", f"cases/{number}/consents", json=sent)

    assert response.status_code == HTTPStatus.BAD_REQUEST
    assert any(words in each["description"] for each in response.json()), response.text
    assert consents(harness) == []


async def test_a_caller_without_the_scope_neither_grants_nor_lists_consents(harness: IntakeHarness) -> None:
    number = await filed(harness)
    harness.rows("UPDATE api_keys SET scopes = '{file}'")
    harness.context.keys._callers = None
    harness.context.keys.first_key = None

    for method, path in (("POST", "consents"), ("GET", "consents"), ("DELETE", "consents/x")):
        response = await harness.call(method, f"cases/{number}/{path}", json=body())
        assert response.status_code == HTTPStatus.FORBIDDEN
    assert consents(harness) == []


async def test_a_case_or_consent_that_is_not_there_is_not_found(harness: IntakeHarness) -> None:
    number = await filed(harness)
    other = await filed(harness)
    granted = (await harness.call("POST", f"cases/{other}/consents", json=body())).json()["consent_id"]

    assert (await harness.call("GET", "cases/26-1/consents")).status_code == HTTPStatus.NOT_FOUND
    assert (await harness.call("DELETE", f"cases/{number}/consents/{granted}")).status_code == HTTPStatus.NOT_FOUND
    assert harness.rows("SELECT 1 FROM vault.consents WHERE withdrawn_at IS NOT NULL") == []


async def test_nothing_is_granted_for_a_closed_case(harness: IntakeHarness) -> None:
    number = await filed(harness)
    harness.rows("UPDATE cases SET status = 'closed', resolution = 'completed', closed_at = submitted_at")

    response = await harness.call("POST", f"cases/{number}/consents", json=body())

    assert response.status_code == HTTPStatus.CONFLICT
    assert consents(harness) == []


async def test_a_withdrawal_waits_for_a_release_that_counts_on_the_consent(harness: IntakeHarness) -> None:
    await filed(harness, **HEALTH, **{"consent[ends_at]": in_days(30)})
    ((case_id, consent_id),) = harness.rows("SELECT case_id, consent_id FROM vault.consents")

    async with harness.context.database.transaction() as release:
        locked = await lock_consents(release, harness.context.vault, cases=[case_id])
        (consent,) = locked.consents[case_id]
        withdrawal = asyncio.create_task(withdraw_consent(harness.context, case_id, consent_id, new_traceparent()))
        await asyncio.sleep(0.2)
        assert not withdrawal.done()
        assert consent.withdrawn_at is None
    assert await withdrawal
