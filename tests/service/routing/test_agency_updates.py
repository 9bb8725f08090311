"""What agencies say about their referrals, on a real database, each heard twice."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.routing.domain.agency_updates import NOT_YOURS
from shared.events.agency_updates import (
    AgencyUpdate,
    ReferralAccepted,
    ReferralCompleted,
    ReferralHeld,
    ReferralRejected,
    ReferralResumed,
    ReferralStarted,
    ReferralTransferred,
)
from shared.events.intake import CaseSubmitted
from shared.events.reasons import Reason
from tests.builders import HOUR, NOON
from tests.service.routing.harness import RoutingHarness

pytestmark = pytest.mark.servers

WORDS: dict[str, Any] = {"reason": Reason.NO_CAPACITY, "explanation": "Mrs Ruiz was out"}


def update(
    harness: RoutingHarness, filed: CaseSubmitted, kind: type[AgencyUpdate], hours: float = 1, **said: Any
) -> AgencyUpdate:
    """What the agency that was asked last says, so many hours after noon."""
    query = "SELECT referral_id FROM referrals WHERE case_id = %s ORDER BY attempt DESC LIMIT 1"
    ((referral_id,),) = harness.rows(query, filed.case_id)
    at = NOON + hours * HOUR
    return kind(case_id=filed.case_id, referral_id=referral_id, occurred_at=at, **said)


async def submit(harness: RoutingHarness, *needs: str) -> CaseSubmitted:
    """Let a case be filed and routed."""
    filed = harness.file(*needs)
    await harness.consume(filed)
    return filed


async def test_a_referral_goes_all_the_way_in_one_batch(harness: RoutingHarness) -> None:
    filed = await submit(harness, "housing")
    steps = (ReferralAccepted, ReferralStarted, ReferralCompleted)
    await harness.consume_updates(
        "homes", *(update(harness, filed, kind, hours) for hours, kind in enumerate(steps, 1))
    )
    assert [row.type for row in harness.outbox("routing.referrals.v1")] == [
        "referral.requested.v1",
        "disclosure.made.v1",
        "case.routed.v1",
        "referral.accepted.v1",
        "referral.started.v1",
        "referral.completed.v1",
        "case.resolved.v1",
    ]
    assert [row.sequence for row in harness.outbox("routing.referrals.v1")] == [1, 2, 3, 4, 5, 6, 7]
    assert harness.rows("SELECT state, due_at, changes FROM referrals") == [("completed", None, 4)]
    assert harness.rows("SELECT number, change, by FROM referral_changes ORDER BY number") == [
        (1, "requested", "routing"),
        (2, "accepted", "agency:homes"),
        (3, "started", "agency:homes"),
        (4, "completed", "agency:homes"),
    ]
    assert harness.rows("SELECT resolution, resolved_at FROM cases") == [("completed", NOON + 3 * HOUR)]


async def test_a_refused_update_is_answered_and_changes_nothing(harness: RoutingHarness) -> None:
    filed = await submit(harness, "housing")
    before = harness.rows("SELECT * FROM referrals"), harness.rows("SELECT * FROM referral_changes")
    await harness.consume_updates("homes", update(harness, filed, ReferralCompleted))
    assert (harness.rows("SELECT * FROM referrals"), harness.rows("SELECT * FROM referral_changes")) == before
    refused = harness.outbox("agency.homes.inbox.v1")[-1]
    assert refused.type == "update.refused.v1"
    assert refused.value["state"] == "requested"


async def test_an_agency_can_do_nothing_to_the_referral_of_another_and_learns_nothing(harness: RoutingHarness) -> None:
    filed = await submit(harness, "housing")
    before = harness.rows("SELECT * FROM referrals")
    stranger = ReferralAccepted(case_id=UUID(int=7), referral_id=UUID(int=8), occurred_at=NOON)
    await harness.consume_updates("police", update(harness, filed, ReferralAccepted), stranger)
    assert harness.rows("SELECT * FROM referrals") == before
    answers = [row.value for row in harness.outbox("agency.police.inbox.v1")]
    assert [(each["state"], each["explanation"]) for each in answers] == [("unknown", NOT_YOURS)] * 2


async def test_an_agencys_own_words_are_kept_sealed(harness: RoutingHarness) -> None:
    filed = await submit(harness, "housing")
    await harness.consume_updates("homes", update(harness, filed, ReferralRejected, **WORDS))
    assert "Ruiz" not in str(harness.snapshot())
    ((words,),) = harness.rows("SELECT words FROM referral_changes WHERE change = 'rejected'")
    assert words is not None


async def test_the_words_of_an_agency_about_an_erased_person_are_not_kept(harness: RoutingHarness) -> None:
    filed = await submit(harness, "housing")
    harness.erase(filed)
    await harness.consume_updates("homes", update(harness, filed, ReferralRejected, **WORDS))
    assert harness.rows("SELECT words FROM referral_changes WHERE change = 'rejected'") == [(None,)]
    assert harness.rows("SELECT state FROM referrals ORDER BY attempt") == [("rejected",), ("requested",)]


async def test_when_all_have_said_no_the_triage_queue_has_the_need(harness: RoutingHarness) -> None:
    filed = await submit(harness, "housing")
    await harness.consume_updates("homes", update(harness, filed, ReferralRejected, **WORDS))
    await harness.consume_updates("clinic", update(harness, filed, ReferralRejected, **WORDS))
    assert harness.rows("SELECT need, reason FROM triage") == [("housing", "candidates-exhausted")]
    assert [row.type for row in harness.outbox("routing.referrals.v1")][-2:] == [
        "referral.rejected.v1",
        "case.unroutable.v1",
    ]


async def test_holding_and_going_on_again_can_be_repeated(harness: RoutingHarness) -> None:
    filed = await submit(harness, "housing")
    held: dict[str, Any] = {"reason": Reason.NO_ACCESS, "explanation": "the door was closed"}
    await harness.consume_updates(
        "homes",
        update(harness, filed, ReferralAccepted, 1),
        update(harness, filed, ReferralStarted, 2),
        update(harness, filed, ReferralHeld, 3, **held),
        update(harness, filed, ReferralResumed, 4),
        update(harness, filed, ReferralHeld, 5, **held),
        update(harness, filed, ReferralHeld, 3, **held),
        update(harness, filed, ReferralResumed, 6),
    )
    assert harness.rows("SELECT state, changes FROM referrals") == [("in-progress", 7)]


async def test_a_transfer_there_and_back_leaves_one_open_referral(harness: RoutingHarness) -> None:
    filed = await submit(harness, "housing")
    there: dict[str, Any] = {"to_agency": "police", "to_program": "precinct", **WORDS}
    back: dict[str, Any] = {"to_agency": "homes", "to_program": "inspections", **WORDS}
    await harness.consume_updates("homes", update(harness, filed, ReferralTransferred, **there))
    await harness.consume_updates("police", update(harness, filed, ReferralTransferred, **back))
    assert harness.rows("SELECT agency, state FROM referrals ORDER BY attempt") == [
        ("homes", "cancelled"),
        ("police", "cancelled"),
        ("homes", "requested"),
    ]


async def test_an_agency_whose_clock_is_wrong_keeps_its_own_times(harness: RoutingHarness) -> None:
    filed = await submit(harness, "housing")
    await harness.consume_updates("homes", update(harness, filed, ReferralAccepted, -24))
    accepted = harness.outbox("routing.referrals.v1")[-1]
    assert accepted.value["occurred_at"] == (NOON - timedelta(days=1)).isoformat().replace("+00:00", "Z")
