"""Routing's events reach residents: history, agencies and status, each once and in any order."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from services.intake.handlers import subscriptions
from shared.events.event import Event
from shared.events.intake import CaseSubmitted
from shared.events.reasons import Reason
from shared.events.referrals import (
    ReferralAccepted,
    ReferralCompleted,
    ReferralEvent,
    ReferralRejected,
    ReferralRequested,
)
from shared.events.routing import CaseResolved
from shared.kit.consumer.consumer import Consumer
from tests.builders import HOUR, NOON
from tests.service.intake.harness import IntakeHarness
from tests.unit.intake.fixtures import form

pytestmark = pytest.mark.servers

FIRST, SECOND = UUID(int=11), UUID(int=12)


async def opened(harness: IntakeHarness) -> CaseSubmitted:
    await harness.file(form())
    return harness.submitted()[-1]


def referral(kind: type[ReferralEvent], case: CaseSubmitted, hours: int, **said: Any) -> Event:
    about: dict[str, Any] = {
        "case_id": case.case_id,
        "referral_id": FIRST,
        "need_id": case.needs[0].need_id,
        "need": "housing",
        "agency": "homes",
        "program": "inspections",
        "submitted_at": case.submitted_at,
        "occurred_at": NOON + hours * HOUR,
    }
    return kind(**(about | said))


def resolved(case: CaseSubmitted, hours: int, resolution: Any = "completed") -> Event:
    moment = NOON + hours * HOUR
    return CaseResolved(case_id=case.case_id, resolution=resolution, submitted_at=NOON, resolved_at=moment)


async def shown(harness: IntakeHarness, case: CaseSubmitted) -> dict[str, Any]:
    (row,) = await harness.get(f"requests/{case.service_request_id}.json", extensions="true")
    assert isinstance(row, dict)
    return row


async def test_a_case_shows_who_has_it_and_what_has_happened(harness: IntakeHarness) -> None:
    case = await opened(harness)

    await harness.consume(referral(ReferralRequested, case, 0), referral(ReferralAccepted, case, 1))

    row = await shown(harness, case)
    assert row["status"] == "open"
    assert row["agency_responsible"] == "Homes Office"
    assert row["updated_datetime"] == "2026-03-02T13:00:00Z"
    assert [(note["type"], note["summary"]) for note in row["notes"]] == [
        ("opened", "Report opened"),
        ("follow_on_created", "Homes Office was asked to help: Housing"),
        ("activity", "Homes Office will help: Housing"),
    ]
    assert row["notes"][1]["extended_attributes"] == {
        "service_request_id": str(FIRST),
        "service_name": "Housing",
        "agency_responsible": "Homes Office",
    }


async def test_after_a_rejection_the_next_agency_has_the_case(harness: IntakeHarness) -> None:
    case = await opened(harness)

    await harness.consume(
        referral(ReferralRequested, case, 0),
        referral(ReferralRejected, case, 1, reason=Reason.OUT_OF_AREA),
        referral(ReferralRequested, case, 1, referral_id=SECOND, agency="police"),
    )

    row = await shown(harness, case)
    assert row["agency_responsible"] == "Police"
    assert [note["type"] for note in row["notes"]] == [
        "opened",
        "follow_on_created",
        "follow_on_closed",
        "follow_on_created",
    ]


async def test_a_resolved_case_is_closed_at_its_own_time_and_names_who_did_it(harness: IntakeHarness) -> None:
    case = await opened(harness)

    await harness.consume(referral(ReferralRequested, case, 0), referral(ReferralCompleted, case, 5), resolved(case, 5))

    row = await shown(harness, case)
    assert (row["status"], row["updated_datetime"]) == ("closed", "2026-03-02T17:00:00Z")
    assert row["agency_responsible"] == "Homes Office"
    assert row["status_notes"] == "Closed: the work is done"
    assert row["notes"][-1]["type"] == "closed"


async def test_messages_that_come_late_change_no_later_state(harness: IntakeHarness) -> None:
    case = await opened(harness)
    events = [referral(ReferralRequested, case, 0), referral(ReferralCompleted, case, 5), resolved(case, 5)]
    records = [harness._record(event) for event in events]
    in_order = await _heard(harness, records)
    case_in_disorder = await opened(harness)
    events = [event.model_copy(update={"case_id": case_in_disorder.case_id}) for event in events]
    events = [
        event.model_copy(update={"referral_id": SECOND}) if isinstance(event, ReferralEvent) else event
        for event in events
    ]
    records = [harness._record(event) for event in events]

    in_disorder = await _heard(harness, records[::-1])

    assert in_order == in_disorder == [("closed", "completed", ["homes"])]


async def _heard(harness: IntakeHarness, records: list[Any]) -> list[Any]:
    for record in records:
        await Consumer("intake", subscriptions()[0], harness.context.database)([record])
    case_id = UUID(bytes.decode(records[0].key))
    return harness.rows("SELECT status, resolution, agencies FROM cases WHERE case_id = %s", case_id)


async def test_events_about_an_unknown_case_do_no_harm(harness: IntakeHarness) -> None:
    case = await opened(harness)
    stranger = case.model_copy(update={"case_id": uuid4()})

    await harness.consume(
        referral(ReferralRequested, stranger, 0, referral_id=SECOND), referral(ReferralRequested, case, 0)
    )

    assert (await shown(harness, case))["agency_responsible"] == "Homes Office"
    assert harness.rows("SELECT count(*) FROM dead_letters") == [(0,)]
