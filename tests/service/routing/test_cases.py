"""Cases that intake submits and withdraws, on a real database, each heard twice."""

from datetime import timedelta

import psycopg
import pytest

from shared.events.agency_updates import ReferralRejected
from shared.events.intake import CaseWithdrawn
from tests.builders import HOUR, NOON, case_id, need_id, recorded_referral
from tests.service.routing.world import TRACEPARENT, World

pytestmark = pytest.mark.servers


async def test_a_case_is_asked_for_told_and_remembered_once(world: World) -> None:
    await world.hear(world.file("housing"))
    assert [(row.topic, row.type, row.sequence) for row in world.spoken()] == [
        ("routing.referrals.v1", "referral.requested.v1", 1),
        ("agency.homes.inbox.v1", "referral.requested.v1", 1),
        ("routing.referrals.v1", "disclosure.made.v1", 2),
        ("routing.referrals.v1", "case.routed.v1", 3),
    ]
    assert world.rows("SELECT agency, program, state, attempt FROM referrals") == [
        ("homes", "inspections", "requested", 1)
    ]
    assert world.rows("SELECT number, change, by, why FROM referral_changes") == [
        (1, "requested", "routing", "rule housing, choice 1")
    ]


async def test_the_trace_of_the_report_goes_on_to_the_agency(world: World) -> None:
    await world.hear(world.file("housing"))
    assert {row.traceparent for row in world.spoken()} == {TRACEPARENT}


async def test_the_agency_is_given_what_the_plan_names_in_the_clear_and_the_others_nothing(world: World) -> None:
    await world.hear(world.file("housing"))
    (asked,) = world.spoken("agency.homes.inbox.v1")
    assert asked.said["released"]["address"]["address"] == "1 Elm St"
    assert "Ana" not in asked.text
    assert "identity" in asked.said["withheld"]
    assert not any("Elm" in row.text or "Ana" in row.text for row in world.spoken("routing.referrals.v1"))
    kept = str({table: rows for table, rows in world.everything().items() if table != "outbox"})
    assert "Elm" not in kept
    assert "Ana" not in kept


async def test_an_erased_person_is_routed_without_a_word_of_theirs(world: World) -> None:
    filed = world.file("housing")
    world.erase(filed)
    await world.hear(filed)
    (asked,) = world.spoken("agency.homes.inbox.v1")
    assert asked.said["released"]["address"] is None
    assert {"address", "identity"} <= set(asked.said["withheld"])


async def test_the_same_case_under_another_message_is_not_routed_again(world: World) -> None:
    filed = world.file("housing")
    await world.hear(filed)
    before = world.everything()
    await world.hear(filed)
    assert world.everything() == before


async def test_a_batch_of_many_cases_routes_each_of_them(world: World) -> None:
    await world.hear(*(world.file("housing", "health", number=number) for number in range(1, 41)))
    assert world.rows("SELECT count(*), count(DISTINCT case_id) FROM referrals") == [(80, 40)]
    assert world.rows("SELECT count(*) FROM outbox WHERE event_type = 'case.routed.v1'") == [(40,)]


async def test_a_case_that_is_withdrawn_in_the_batch_that_files_it_ends_there(world: World) -> None:
    filed = world.file("housing", "loneliness")
    await world.hear(filed, CaseWithdrawn(case_id=filed.case_id, withdrawn_at=NOON + HOUR))
    assert [row.type for row in world.spoken("agency.homes.inbox.v1")] == [
        "referral.requested.v1",
        "referral.cancelled.v1",
    ]
    assert world.rows("SELECT resolution, resolved_at FROM cases") == [("withdrawn", NOON + HOUR)]
    assert world.rows("SELECT state, reason, due_at FROM referrals") == [("cancelled", "withdrawn", None)]
    assert world.rows("SELECT ended_by, ended_at IS NOT NULL FROM triage") == [("routing", True)]


async def test_a_withdrawn_case_tells_every_agency_that_was_asked(world: World) -> None:
    filed = world.file("housing", "health")
    await world.hear(filed)
    await world.hear(CaseWithdrawn(case_id=filed.case_id, withdrawn_at=NOON + HOUR))
    cancelled = [row.topic for row in world.spoken() if row.type == "referral.cancelled.v1"]
    assert sorted(cancelled) == [
        "agency.clinic.inbox.v1",
        "agency.homes.inbox.v1",
        "routing.referrals.v1",
        "routing.referrals.v1",
    ]


async def test_a_withdrawal_of_a_case_that_nobody_submitted_is_set_aside_and_the_rest_goes_on(world: World) -> None:
    await world.hear(world.file("housing"), CaseWithdrawn(case_id=case_id(99), withdrawn_at=NOON))
    assert world.rows("SELECT reason FROM dead_letters") == [("UnknownCaseError",)]
    assert world.rows("SELECT count(*) FROM referrals") == [(1,)]


async def test_a_need_that_nobody_covers_waits_for_a_person(world: World) -> None:
    await world.hear(world.file("loneliness"))
    assert world.rows("SELECT need_id, need, service_code, district, reason, ended_at FROM triage") == [
        (need_id("loneliness"), "loneliness", "repair", "south", "no-program", None)
    ]
    assert [row.type for row in world.spoken()] == ["case.unroutable.v1", "case.routed.v1"]


async def test_a_closed_record_is_kept_with_its_own_times_and_its_agency_has_it(world: World) -> None:
    closed = NOON - timedelta(days=1)
    await world.hear(world.file("housing", recorded=(recorded_referral(closed_at=closed),)))
    (asked,) = world.spoken("agency.homes.inbox.v1")
    assert asked.said["record_only"] is True
    assert asked.said["answer_by"] is None
    history = world.rows("SELECT change, occurred_at FROM referral_changes ORDER BY number")
    assert history == [("requested", NOON), ("accepted", closed), ("completed", closed)]
    assert world.rows("SELECT resolution, resolved_at FROM cases") == [("completed", closed)]
    assert all(row.said.get("record_only", True) for row in world.spoken())


async def test_the_next_candidate_is_given_the_report_too(world: World) -> None:
    filed = world.file("housing")
    await world.hear(filed)
    ((referral_id,),) = world.rows("SELECT referral_id FROM referrals")
    said = {"case_id": filed.case_id, "referral_id": referral_id, "occurred_at": NOON}
    await world.hear_from("homes", ReferralRejected(**said, reason="no-capacity", explanation="Ana Ruiz was out"))
    (asked,) = world.spoken("agency.clinic.inbox.v1")
    assert asked.said["released"]["need"]["need"] == "housing"
    assert "address" in asked.said["withheld"]


async def test_the_database_itself_refuses_a_second_open_referral_to_one_program_for_one_need(world: World) -> None:
    await world.hear(world.file("housing"))
    again = """
        INSERT INTO referrals SELECT (jsonb_populate_record(r, jsonb_build_object('referral_id', gen_random_uuid()))).*
        FROM referrals r
    """
    with pytest.raises(psycopg.errors.UniqueViolation, match="referrals_one_open"):
        world.rows(again)


async def test_a_report_is_kept_word_for_word(world: World) -> None:
    filed = world.file("housing")
    await world.hear(filed)
    assert world.rows("SELECT report FROM cases") == [(filed.model_dump_json(),)]
