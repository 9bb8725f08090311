"""Metrics serves figures to everyone, and cases to operators."""

import asyncio
import statistics
from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.local.servers import databases
from deploy.local.servers.databases import OwnDatabase
from shared.events import intake, referrals
from tests.service.metrics.harness import MetricsHarness
from tests.unit.metrics.case_events import AGENCIES, CaseEvents, random_case

pytestmark = pytest.mark.servers
NOISE, POLICE = "noise", "nypd"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(scope="module")
def settled_database(postgres_admin_url: str, template_database: str) -> Iterator[OwnDatabase]:
    """Give one database to the tests that only read the hundred cases."""
    with databases.own_database(postgres_admin_url, template_database) as own:
        asyncio.run(settle(own))
        yield own


async def settle(own: OwnDatabase) -> None:
    async with MetricsHarness.open(own) as harness:
        await consume_hundred(harness)


@pytest.fixture
async def settled(settled_database: OwnDatabase) -> AsyncIterator[MetricsHarness]:
    """Build metrics with a hundred cases, for a test that only reads."""
    async with MetricsHarness.open(settled_database) as opened:
        yield opened


async def consume_hundred(harness: MetricsHarness) -> list[CaseEvents]:
    """Consume the events of a hundred cases, each resolved by one of three agencies after so many minutes."""
    cases = []
    for number in range(100):
        agency = AGENCIES[number % 3] if number < 95 else "parks"
        case = CaseEvents(number).file((NOISE,)).route({NOISE: agency}).wait(minutes=1 + number)
        case.refer(referrals.ReferralAccepted, NOISE, agency).wait(minutes=number)
        cases.append(case.refer(referrals.ReferralCompleted, NOISE, agency).resolve().notify())
    await harness.consume(*cases)
    await harness.refresh_figures()
    return cases


async def test_clocks_show_operators_the_percentiles_of_each_agency(settled: MetricsHarness) -> None:
    answer = {one["agency"]: one for one in (await settled.staff.get("/clocks?by=agency&clock=resolution")).json()}
    assert sorted(answer) == sorted([*AGENCIES, "parks"])
    seconds = [(1 + 2 * number) * 60.0 for number in range(95) if number % 3 == 0]
    tenths = statistics.quantiles(seconds, n=10, method="inclusive")
    hpd = answer["hpd"]
    assert (hpd["n"], hpd["bad"], hpd["waiting"]) == (len(seconds), 0, 0)
    assert hpd["p50"] == pytest.approx(statistics.median(seconds))
    assert hpd["p90"] == pytest.approx(tenths[8])
    assert hpd["as_of"].endswith("Z")


async def test_clocks_hide_small_groups_from_everyone_else(settled: MetricsHarness) -> None:
    answer = {one["agency"]: one for one in (await settled.public.get("/clocks")).json()}
    assert answer["parks"]["suppressed"]
    assert (answer["parks"]["n"], answer["parks"]["p50"]) == (None, None)
    [beside] = [name for name, one in answer.items() if one.get("suppressed") and name != "parks"]
    assert answer[beside]["n"] is None
    assert answer[beside]["p50"] is not None


async def test_of_the_other_clocks_everyone_sees_times_and_no_counts(settled: MetricsHarness) -> None:
    public = (await settled.public.get("/clocks?by=agency&clock=answer")).json()
    assert {one["n"] for one in public} == {None}
    staff = (await settled.staff.get("/clocks?by=agency&clock=answer")).json()
    assert [one["p50"] for one in public] == [one["p50"] if one["n"] >= 11 else None for one in staff]


async def test_everyone_sees_no_count_that_is_small_or_reveals_a_small_one(harness: MetricsHarness) -> None:
    await consume_hundred(harness)
    await harness.consume(*(CaseEvents(200 + number).file((NOISE,)) for number in range(3)))
    await harness.refresh_figures()
    whole = (await harness.staff.get("/reconciliation")).json()
    answer = (await harness.public.get("/reconciliation")).json()
    assert (whole["accepted"], whole["routed"], whole["pending"], whole["resolved"]) == (103, 100, 3, 100)
    assert (answer["accepted"], answer["routed"], answer["pending"], answer["resolved"]) == (103, None, None, None)
    assert (answer["minimum"], answer["balanced"]) == (11, True)
    assert answer["mails"] == {"sent": 100, "failed": 0, "uncertain": 0, "suppressed": 0}


async def test_clocks_of_one_week_are_those_of_what_was_filed_in_it(settled: MetricsHarness) -> None:
    [city] = (await settled.staff.get("/clocks?by=city&clock=response&week=2026-03-02")).json()
    assert (city["n"], city["week"]) == (100, "2026-03-02")
    assert (await settled.staff.get("/clocks?by=city&clock=response&week=2026-03-09")).json() == []


@pytest.mark.parametrize("asked", ["by=city&week=2026-03-02", "by=program"])
async def test_cells_that_would_reveal_suppressed_ones_are_for_operators_only(
    empty: MetricsHarness, asked: str
) -> None:
    assert (await empty.public.get(f"/clocks?{asked}")).status_code == 401
    assert (await empty.staff.get(f"/clocks?{asked}")).status_code == 200


@pytest.mark.parametrize("asked", ["by=person", "clock=patience", "by=city&clock=work", "week=soon"])
async def test_an_invalid_query_is_refused_with_what_it_may_ask(empty: MetricsHarness, asked: str) -> None:
    answer = await empty.public.get(f"/clocks?{asked}")
    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_the_reconciliation_accounts_for_every_case(harness: MetricsHarness) -> None:
    await consume_hundred(harness)
    await harness.consume(CaseEvents(200).file((NOISE,)), CaseEvents(201).file((NOISE,)).route({}, unrouted=(NOISE,)))
    await harness.refresh_figures()
    answer = (await harness.staff.get("/reconciliation")).json()
    assert (answer["accepted"], answer["routed"], answer["triage"], answer["pending"]) == (102, 100, 1, 1)
    assert (answer["duplicates"], answer["missing"], answer["balanced"]) == (0, 0, True)
    assert (
        answer["referrals"]["requested"] == answer["referrals"]["accepted"] == answer["referrals"]["completed"] == 100
    )
    assert answer["mails"] == {"sent": 100, "failed": 0, "uncertain": 0, "suppressed": 0}
    assert answer["response_seconds"]["p50"] == pytest.approx(50.5 * 60)


async def test_an_event_that_never_came_is_missing(harness: MetricsHarness) -> None:
    case = (
        CaseEvents(1)
        .file((NOISE,))
        .route({NOISE: POLICE})
        .wait(hours=1)
        .refer(referrals.ReferralAccepted, NOISE, POLICE)
    )
    await harness.consume_once([one for one in case.events if one.envelope.type != "referral.requested.v1"])
    await harness.refresh_figures()
    answer = (await harness.staff.get("/reconciliation")).json()
    assert answer["missing"] == 2  # its number was passed over, and the referral was named and never requested
    assert not answer["balanced"]


async def test_a_record_that_was_filed_as_two_cases_is_a_duplicate(harness: MetricsHarness) -> None:
    origin = intake.Origin(channel="import", source="nyc-311", external_id="39573567")
    await harness.consume(CaseEvents(1).file((NOISE,), origin=origin))
    await harness.refresh_figures()
    assert (await harness.public.get("/reconciliation")).json()["duplicates"] == 0
    await harness.consume(CaseEvents(2).file((NOISE,), origin=origin))
    await harness.refresh_figures()
    assert (await harness.staff.get("/reconciliation")).json()["duplicates"] == 1


async def test_an_event_of_a_type_that_happens_once_is_a_duplicate_under_a_second_id(harness: MetricsHarness) -> None:
    case = CaseEvents(1).file((NOISE,)).route({NOISE: POLICE}).wait(minutes=1)
    for cause in ("update", "the same update, worked on twice"):
        case.refer(referrals.ReferralAccepted, NOISE, POLICE)
        accepted = case.events.pop()
        case.publish(accepted.topic, accepted.event, cause=case.name(cause))
    await harness.consume(case)
    await harness.refresh_figures()
    assert (await harness.staff.get("/reconciliation")).json()["duplicates"] == 1


@pytest.mark.parametrize("path", ["/cases/x/journey", "/cases/x/traces", f"/traces/{TRACE}"])
async def test_cases_and_traces_are_for_operators_only(empty: MetricsHarness, path: str) -> None:
    assert (await empty.public.get(path)).status_code == 401
    assert (await empty.public.get(path, headers={"authorization": "Bearer guessed"})).status_code == 401
    assert (await empty.staff.get(path)).status_code == 404


async def test_a_journey_is_found_by_either_id_and_is_in_order(harness: MetricsHarness) -> None:
    case = random_case(7, 7)
    await harness.consume(case, random_case(8, 8))
    by_case = (await harness.staff.get(f"/cases/{case.case_id}/journey")).json()
    by_request = (await harness.staff.get(f"/cases/{case.service_request_id}/journey")).json()
    assert by_case == by_request
    types = [entry["type"] for entry in by_case["entries"]]
    assert sorted(types) == sorted(one.envelope.type for one in case.events)
    assert types[0] == "case.submitted.v1"


async def test_a_journey_shows_no_free_text(harness: MetricsHarness) -> None:
    case = CaseEvents(1).file((NOISE,)).route({NOISE: POLICE}).answer(NOISE, POLICE, "Maria Lopez did not open")
    await harness.consume(case)
    assert "Maria" not in (await harness.staff.get(f"/cases/{case.case_id}/journey")).text


async def test_the_dashboard_shows_figures_and_hides_small_groups(settled: MetricsHarness) -> None:
    page = (await settled.public.get("/")).text
    assert "Every report is accounted for" in page
    assert "1 h 40 min" in page
    assert "Too few to show: parks." in page
    assert "stands for a count that is not shown" in page


async def test_the_dashboard_says_so_before_any_event_has_arrived(empty: MetricsHarness) -> None:
    answer = await empty.public.get("/")
    assert answer.status_code == 200
    assert "No event has been received yet" in answer.text
