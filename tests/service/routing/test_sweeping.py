"""Referrals that nobody answers, on a real database."""

import asyncio

import pytest

from services.routing.workers.deadlines import handle_overdue_referrals
from shared.events.agency_updates import ReferralAccepted
from tests.builders import HOUR, NOON
from tests.service.routing.world import World

pytestmark = pytest.mark.servers


async def pass_hours(world: World, hours: float) -> int:
    """Look after the referrals at a later hour; returns how many steps were taken."""
    world.clock.shown = NOON + hours * HOUR
    return await handle_overdue_referrals(world.desk, world.database)


async def test_a_silent_agency_is_reminded_escalated_and_replaced(world: World) -> None:
    await world.hear(world.file("housing"))
    assert [await pass_hours(world, hours) for hours in (3, 4, 5, 8, 9, 12)] == [0, 1, 0, 1, 0, 1]
    assert [row.type for row in world.spoken("routing.referrals.v1")] == [
        "referral.requested.v1",
        "disclosure.made.v1",
        "case.routed.v1",
        "referral.overdue.v1",
        "referral.escalated.v1",
        "referral.cancelled.v1",
        "referral.requested.v1",
        "disclosure.made.v1",
    ]
    assert world.rows("SELECT program, state, reason FROM referrals ORDER BY attempt") == [
        ("inspections", "cancelled", "no-answer"),
        ("emergency", "requested", None),
    ]
    told = [(row.type, row.said.get("escalated")) for row in world.spoken("agency.homes.inbox.v1")]
    assert told == [
        ("referral.requested.v1", None),
        ("referral.overdue.v1", False),
        ("referral.overdue.v1", True),
        ("referral.cancelled.v1", None),
        ("referral.requested.v1", None),
    ]


async def test_the_fallback_is_given_what_its_agreement_names(world: World) -> None:
    await world.hear(world.file("housing"))
    for hours in (4, 8, 12):
        await pass_hours(world, hours)
    assert world.spoken("agency.homes.inbox.v1")[-1].said["released"]["address"]["address"] == "1 Elm St"


async def test_without_a_fallback_the_need_goes_to_the_triage_desk(world: World) -> None:
    await world.hear(world.file("health"))
    for hours in (8, 16, 24):
        await pass_hours(world, hours)
    assert world.rows("SELECT reason FROM triage WHERE ended_at IS NULL") == [("no-answer",)]


async def test_an_answer_in_time_is_the_end_of_it(world: World) -> None:
    filed = world.file("housing")
    await world.hear(filed)
    ((referral_id,),) = world.rows("SELECT referral_id FROM referrals")
    await world.hear_from("homes", ReferralAccepted(case_id=filed.case_id, referral_id=referral_id, occurred_at=NOON))
    assert await pass_hours(world, 500) == 0


async def test_two_sweepers_take_each_step_once(world: World) -> None:
    await world.hear(*(world.file("housing", number=number) for number in range(1, 21)))
    world.clock.shown = NOON + 4 * HOUR
    await asyncio.gather(*(handle_overdue_referrals(world.desk, world.database) for _ in range(4)))
    while await handle_overdue_referrals(world.desk, world.database):
        pass
    overdue = [row for row in world.spoken("routing.referrals.v1") if row.type == "referral.overdue.v1"]
    assert len(overdue) == 20


async def test_looking_for_what_is_due_reads_no_history(world: World) -> None:
    await world.hear(world.file("housing"))
    world.change(
        """
        -- Five thousand referrals that nobody waits for any more, each a need of its own.
        INSERT INTO referrals SELECT (jsonb_populate_record(one, jsonb_build_object(
            'referral_id', gen_random_uuid(), 'need_id', gen_random_uuid(), 'state', 'completed', 'due_at', NULL))).*
        FROM referrals AS one, generate_series(1, 5000)
        """,
        "ANALYZE referrals",  # whether the server did by itself is a matter of luck, and so would be its plan
    )
    due = "SELECT case_id FROM referrals WHERE due_at <= now() ORDER BY due_at LIMIT 100"
    plan = str(world.rows(f"EXPLAIN {due}"))
    assert "referrals_due" in plan
    assert "Seq Scan" not in plan
