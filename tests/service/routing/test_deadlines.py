"""Referrals that are not answered in time, on a real database."""

import asyncio

import pytest

from services.routing.workers.deadlines import handle_overdue_referrals
from shared.events.agency_updates import ReferralAccepted
from tests.builders import HOUR, NOON
from tests.service.routing.harness import RoutingHarness

pytestmark = pytest.mark.servers


async def pass_hours(harness: RoutingHarness, hours: float) -> int:
    """Act on overdue referrals at a later hour; return the number of steps."""
    harness.clock.shown = NOON + hours * HOUR
    return await handle_overdue_referrals(harness.context, harness.database)


async def test_a_silent_agency_is_reminded_escalated_and_replaced(harness: RoutingHarness) -> None:
    await harness.consume(harness.file("housing"))
    assert [await pass_hours(harness, hours) for hours in (3, 4, 5, 8, 9, 12)] == [0, 1, 0, 1, 0, 1]
    assert [row.type for row in harness.outbox("routing.referrals.v1")] == [
        "referral.requested.v1",
        "disclosure.made.v1",
        "case.routed.v1",
        "referral.overdue.v1",
        "referral.escalated.v1",
        "referral.cancelled.v1",
        "referral.requested.v1",
        "disclosure.made.v1",
    ]
    assert harness.rows("SELECT program, state, reason FROM referrals ORDER BY attempt") == [
        ("inspections", "cancelled", "no-answer"),
        ("emergency", "requested", None),
    ]
    told = [(row.type, row.value.get("escalated")) for row in harness.outbox("agency.homes.inbox.v1")]
    assert told == [
        ("referral.requested.v1", None),
        ("referral.overdue.v1", False),
        ("referral.overdue.v1", True),
        ("referral.cancelled.v1", None),
        ("referral.requested.v1", None),
    ]


async def test_the_fallback_is_given_what_its_agreement_names(harness: RoutingHarness) -> None:
    await harness.consume(harness.file("housing"))
    for hours in (4, 8, 12):
        await pass_hours(harness, hours)
    assert harness.outbox("agency.homes.inbox.v1")[-1].value["released"]["address"]["address"] == "1 Elm St"


async def test_without_a_fallback_the_need_goes_to_the_triage_queue(harness: RoutingHarness) -> None:
    await harness.consume(harness.file("health"))
    for hours in (8, 16, 24):
        await pass_hours(harness, hours)
    assert harness.rows("SELECT reason FROM triage WHERE ended_at IS NULL") == [("no-answer",)]


async def test_an_answer_in_time_is_the_end_of_it(harness: RoutingHarness) -> None:
    filed = harness.file("housing")
    await harness.consume(filed)
    ((referral_id,),) = harness.rows("SELECT referral_id FROM referrals")
    await harness.consume_updates(
        "homes", ReferralAccepted(case_id=filed.case_id, referral_id=referral_id, occurred_at=NOON)
    )
    assert await pass_hours(harness, 500) == 0


async def test_two_sweepers_take_each_step_once(harness: RoutingHarness) -> None:
    await harness.consume(*(harness.file("housing", number=number) for number in range(1, 21)))
    harness.clock.shown = NOON + 4 * HOUR
    await asyncio.gather(*(handle_overdue_referrals(harness.context, harness.database) for _ in range(4)))
    while await handle_overdue_referrals(harness.context, harness.database):
        pass
    overdue = [row for row in harness.outbox("routing.referrals.v1") if row.type == "referral.overdue.v1"]
    assert len(overdue) == 20


async def test_looking_for_what_is_due_reads_no_history(harness: RoutingHarness) -> None:
    await harness.consume(harness.file("housing"))
    harness.execute(
        """
        -- Five thousand completed referrals, each of a need of its own.
        INSERT INTO referrals SELECT (jsonb_populate_record(one, jsonb_build_object(
            'referral_id', gen_random_uuid(), 'need_id', gen_random_uuid(), 'state', 'completed', 'due_at', NULL))).*
        FROM referrals AS one, generate_series(1, 5000)
        """,
        "ANALYZE referrals",  # whether the server did by itself is a matter of luck, and so would be its plan
    )
    due = "SELECT case_id FROM referrals WHERE due_at <= now() ORDER BY due_at LIMIT 100"
    plan = str(harness.rows(f"EXPLAIN {due}"))
    assert "referrals_due" in plan
    assert "Seq Scan" not in plan
