"""Cases that intake submits and withdraws, on a real database, each heard twice."""

from datetime import timedelta

import psycopg
import pytest

from shared.events.agency_updates import ReferralRejected
from shared.events.intake import CaseWithdrawn
from tests.builders import HOUR, NOON, case_id, need_id, recorded_referral
from tests.service.routing.harness import TRACEPARENT, RoutingHarness

pytestmark = pytest.mark.servers


async def test_a_case_is_asked_for_told_and_remembered_once(harness: RoutingHarness) -> None:
    await harness.consume(harness.file("housing"))
    assert [(row.topic, row.type, row.sequence) for row in harness.outbox()] == [
        ("routing.referrals.v1", "referral.requested.v1", 1),
        ("agency.homes.inbox.v1", "referral.requested.v1", 1),
        ("routing.referrals.v1", "disclosure.made.v1", 2),
        ("routing.referrals.v1", "case.routed.v1", 3),
    ]
    assert harness.rows("SELECT agency, program, state, attempt FROM referrals") == [
        ("homes", "inspections", "requested", 1)
    ]
    assert harness.rows("SELECT number, change, by, why FROM referral_changes") == [
        (1, "requested", "routing", "rule housing, choice 1")
    ]


async def test_the_trace_of_the_report_goes_on_to_the_agency(harness: RoutingHarness) -> None:
    await harness.consume(harness.file("housing"))
    assert {row.traceparent for row in harness.outbox()} == {TRACEPARENT}


async def test_the_agency_is_given_what_the_plan_names_in_the_clear_and_the_others_nothing(
    harness: RoutingHarness,
) -> None:
    await harness.consume(harness.file("housing"))
    (asked,) = harness.outbox("agency.homes.inbox.v1")
    assert asked.value["released"]["address"]["address"] == "1 Elm St"
    assert "Ana" not in asked.text
    assert "identity" in asked.value["withheld"]
    assert not any("Elm" in row.text or "Ana" in row.text for row in harness.outbox("routing.referrals.v1"))
    kept = str({table: rows for table, rows in harness.snapshot().items() if table != "outbox"})
    assert "Elm" not in kept
    assert "Ana" not in kept


async def test_an_erased_person_is_routed_without_a_word_of_theirs(harness: RoutingHarness) -> None:
    filed = harness.file("housing")
    harness.erase(filed)
    await harness.consume(filed)
    (asked,) = harness.outbox("agency.homes.inbox.v1")
    assert asked.value["released"]["address"] is None
    assert {"address", "identity"} <= set(asked.value["withheld"])


async def test_the_same_case_under_another_message_is_not_routed_again(harness: RoutingHarness) -> None:
    filed = harness.file("housing")
    await harness.consume(filed)
    before = harness.snapshot()
    await harness.consume(filed)
    assert harness.snapshot() == before


async def test_a_batch_of_many_cases_routes_each_of_them(harness: RoutingHarness) -> None:
    await harness.consume(*(harness.file("housing", "health", number=number) for number in range(1, 41)))
    assert harness.rows("SELECT count(*), count(DISTINCT case_id) FROM referrals") == [(80, 40)]
    assert harness.rows("SELECT count(*) FROM outbox WHERE event_type = 'case.routed.v1'") == [(40,)]


async def test_a_case_that_is_withdrawn_in_the_batch_that_files_it_ends_there(harness: RoutingHarness) -> None:
    filed = harness.file("housing", "loneliness")
    await harness.consume(filed, CaseWithdrawn(case_id=filed.case_id, withdrawn_at=NOON + HOUR))
    assert [row.type for row in harness.outbox("agency.homes.inbox.v1")] == [
        "referral.requested.v1",
        "referral.cancelled.v1",
    ]
    assert harness.rows("SELECT resolution, resolved_at FROM cases") == [("withdrawn", NOON + HOUR)]
    assert harness.rows("SELECT state, reason, due_at FROM referrals") == [("cancelled", "withdrawn", None)]
    assert harness.rows("SELECT ended_by, ended_at IS NOT NULL FROM triage") == [("routing", True)]


async def test_a_withdrawn_case_tells_every_agency_that_was_asked(harness: RoutingHarness) -> None:
    filed = harness.file("housing", "health")
    await harness.consume(filed)
    await harness.consume(CaseWithdrawn(case_id=filed.case_id, withdrawn_at=NOON + HOUR))
    cancelled = [row.topic for row in harness.outbox() if row.type == "referral.cancelled.v1"]
    assert sorted(cancelled) == [
        "agency.clinic.inbox.v1",
        "agency.homes.inbox.v1",
        "routing.referrals.v1",
        "routing.referrals.v1",
    ]


async def test_a_withdrawal_of_an_unknown_case_is_set_aside_and_the_rest_goes_on(
    harness: RoutingHarness,
) -> None:
    await harness.consume(harness.file("housing"), CaseWithdrawn(case_id=case_id(99), withdrawn_at=NOON))
    assert harness.rows("SELECT reason FROM dead_letters") == [("UnknownCaseError",)]
    assert harness.rows("SELECT count(*) FROM referrals") == [(1,)]


async def test_a_need_that_no_program_covers_waits_for_a_person(harness: RoutingHarness) -> None:
    await harness.consume(harness.file("loneliness"))
    assert harness.rows("SELECT need_id, need, service_code, district, reason, ended_at FROM triage") == [
        (need_id("loneliness"), "loneliness", "repair", "south", "no-program", None)
    ]
    assert [row.type for row in harness.outbox()] == ["case.unroutable.v1", "case.routed.v1"]


async def test_a_closed_record_is_kept_with_its_own_times_and_its_agency_has_it(harness: RoutingHarness) -> None:
    closed = NOON - timedelta(days=1)
    await harness.consume(harness.file("housing", recorded=(recorded_referral(closed_at=closed),)))
    (asked,) = harness.outbox("agency.homes.inbox.v1")
    assert asked.value["record_only"] is True
    assert asked.value["answer_by"] is None
    history = harness.rows("SELECT change, occurred_at FROM referral_changes ORDER BY number")
    assert history == [("requested", NOON), ("accepted", closed), ("completed", closed)]
    assert harness.rows("SELECT resolution, resolved_at FROM cases") == [("completed", closed)]
    assert all(row.value.get("record_only", True) for row in harness.outbox())


async def test_the_next_candidate_is_given_the_report_too(harness: RoutingHarness) -> None:
    filed = harness.file("housing")
    await harness.consume(filed)
    ((referral_id,),) = harness.rows("SELECT referral_id FROM referrals")
    said = {"case_id": filed.case_id, "referral_id": referral_id, "occurred_at": NOON}
    await harness.consume_updates(
        "homes", ReferralRejected(**said, reason="no-capacity", explanation="Ana Ruiz was out")
    )
    (asked,) = harness.outbox("agency.clinic.inbox.v1")
    assert asked.value["released"]["need"]["need"] == "housing"
    assert "address" in asked.value["withheld"]


async def test_the_database_itself_refuses_a_second_open_referral_to_one_program_for_one_need(
    harness: RoutingHarness,
) -> None:
    await harness.consume(harness.file("housing"))
    again = """
        INSERT INTO referrals SELECT (jsonb_populate_record(r, jsonb_build_object('referral_id', gen_random_uuid()))).*
        FROM referrals r
    """
    with pytest.raises(psycopg.errors.UniqueViolation, match="referrals_one_open"):
        harness.rows(again)


async def test_a_report_is_kept_word_for_word(harness: RoutingHarness) -> None:
    filed = harness.file("housing")
    await harness.consume(filed)
    assert harness.rows("SELECT report FROM cases") == [(filed.model_dump_json(),)]
