"""What metrics serves: figures to everybody, cases to operators."""

import asyncio
import statistics
from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.local.servers import databases
from deploy.local.servers.databases import OwnDatabase
from shared.events import intake, referrals
from tests.service.metrics.world import World
from tests.unit.metrics.stories import AGENCIES, Story, any_story

pytestmark = pytest.mark.servers
NOISE, POLICE = "noise", "nypd"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture(scope="module")
def settled_database(postgres_admin_url: str, template_database: str) -> Iterator[OwnDatabase]:
    """Give the tests that only read the hundred cases one database between them."""
    with databases.own_database(postgres_admin_url, template_database) as own:
        asyncio.run(settle(own))
        yield own


async def settle(own: OwnDatabase) -> None:
    async with World.open(own) as world:
        await hear_hundred(world)


@pytest.fixture
async def settled(settled_database: OwnDatabase) -> AsyncIterator[World]:
    """Put metrics together where the hundred cases have been heard, for a test that only reads."""
    async with World.open(settled_database) as opened:
        yield opened


async def hear_hundred(world: World) -> list[Story]:
    """Hear a hundred cases, each resolved by one of three agencies after so many minutes."""
    stories = []
    for number in range(100):
        agency = AGENCIES[number % 3] if number < 95 else "parks"
        story = Story(number).file((NOISE,)).route({NOISE: agency}).wait(minutes=1 + number)
        story.refer(referrals.ReferralAccepted, NOISE, agency).wait(minutes=number)
        stories.append(story.refer(referrals.ReferralCompleted, NOISE, agency).resolve().tell())
    await world.hear(*stories)
    await world.refresh_figures()
    return stories


async def test_clocks_show_operators_the_percentiles_of_each_agency(settled: World) -> None:
    told = {one["agency"]: one for one in (await settled.staff.get("/clocks?by=agency&clock=resolution")).json()}
    assert sorted(told) == sorted([*AGENCIES, "parks"])
    seconds = [(1 + 2 * number) * 60.0 for number in range(95) if number % 3 == 0]
    tenths = statistics.quantiles(seconds, n=10, method="inclusive")
    hpd = told["hpd"]
    assert (hpd["n"], hpd["bad"], hpd["waiting"]) == (len(seconds), 0, 0)
    assert hpd["p50"] == pytest.approx(statistics.median(seconds))
    assert hpd["p90"] == pytest.approx(tenths[8])
    assert hpd["as_of"].endswith("Z")


async def test_clocks_hide_small_groups_from_everybody_else(settled: World) -> None:
    told = {one["agency"]: one for one in (await settled.public.get("/clocks")).json()}
    assert told["parks"]["suppressed"]
    assert (told["parks"]["n"], told["parks"]["p50"]) == (None, None)
    [beside] = [name for name, one in told.items() if one.get("suppressed") and name != "parks"]
    assert told[beside]["n"] is None
    assert told[beside]["p50"] is not None


async def test_of_the_lesser_clocks_everybody_sees_times_and_no_counts(settled: World) -> None:
    public = (await settled.public.get("/clocks?by=agency&clock=answer")).json()
    assert {one["n"] for one in public} == {None}
    staff = (await settled.staff.get("/clocks?by=agency&clock=answer")).json()
    assert [one["p50"] for one in public] == [one["p50"] if one["n"] >= 11 else None for one in staff]


async def test_everybody_sees_no_count_that_is_small_or_gives_a_small_one_away(world: World) -> None:
    await hear_hundred(world)
    await world.hear(*(Story(200 + number).file((NOISE,)) for number in range(3)))
    await world.refresh_figures()
    whole = (await world.staff.get("/reconciliation")).json()
    told = (await world.public.get("/reconciliation")).json()
    assert (whole["accepted"], whole["routed"], whole["pending"], whole["resolved"]) == (103, 100, 3, 100)
    assert (told["accepted"], told["routed"], told["pending"], told["resolved"]) == (103, None, None, None)
    assert (told["minimum"], told["balanced"]) == (11, True)
    assert told["mails"] == {"sent": 100, "failed": 0, "uncertain": 0, "suppressed": 0}


async def test_clocks_of_one_week_are_those_of_what_was_filed_in_it(settled: World) -> None:
    [city] = (await settled.staff.get("/clocks?by=city&clock=response&week=2026-03-02")).json()
    assert (city["n"], city["week"]) == (100, "2026-03-02")
    assert (await settled.staff.get("/clocks?by=city&clock=response&week=2026-03-09")).json() == []


@pytest.mark.parametrize("asked", ["by=city&week=2026-03-02", "by=program"])
async def test_cells_that_would_give_hidden_ones_away_are_for_operators_only(unheard: World, asked: str) -> None:
    assert (await unheard.public.get(f"/clocks?{asked}")).status_code == 401
    assert (await unheard.staff.get(f"/clocks?{asked}")).status_code == 200


@pytest.mark.parametrize("asked", ["by=person", "clock=patience", "by=city&clock=work", "week=soon"])
async def test_a_question_that_makes_no_sense_is_refused_with_what_would(unheard: World, asked: str) -> None:
    answer = await unheard.public.get(f"/clocks?{asked}")
    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_the_reconciliation_accounts_for_every_case(world: World) -> None:
    await hear_hundred(world)
    await world.hear(Story(200).file((NOISE,)), Story(201).file((NOISE,)).route({}, unrouted=(NOISE,)))
    await world.refresh_figures()
    told = (await world.staff.get("/reconciliation")).json()
    assert (told["accepted"], told["routed"], told["triage"], told["pending"]) == (102, 100, 1, 1)
    assert (told["duplicates"], told["missing"], told["balanced"]) == (0, 0, True)
    assert told["referrals"]["requested"] == told["referrals"]["accepted"] == told["referrals"]["completed"] == 100
    assert told["mails"] == {"sent": 100, "failed": 0, "uncertain": 0, "suppressed": 0}
    assert told["response_seconds"]["p50"] == pytest.approx(50.5 * 60)


async def test_an_event_that_never_came_is_missing(world: World) -> None:
    story = (
        Story(1).file((NOISE,)).route({NOISE: POLICE}).wait(hours=1).refer(referrals.ReferralAccepted, NOISE, POLICE)
    )
    await world.hear_once([one for one in story.said if one.envelope.type != "referral.requested.v1"])
    await world.refresh_figures()
    told = (await world.staff.get("/reconciliation")).json()
    assert told["missing"] == 2  # its number was passed over, and the referral was named and never requested
    assert not told["balanced"]


async def test_a_record_that_was_filed_as_two_cases_is_a_duplicate(world: World) -> None:
    origin = intake.Origin(channel="import", source="nyc-311", external_id="39573567")
    await world.hear(Story(1).file((NOISE,), origin=origin))
    await world.refresh_figures()
    assert (await world.public.get("/reconciliation")).json()["duplicates"] == 0
    await world.hear(Story(2).file((NOISE,), origin=origin))
    await world.refresh_figures()
    assert (await world.staff.get("/reconciliation")).json()["duplicates"] == 1


async def test_what_happens_once_and_was_told_under_two_ids_is_a_duplicate(world: World) -> None:
    story = Story(1).file((NOISE,)).route({NOISE: POLICE}).wait(minutes=1)
    for cause in ("update", "the same update, worked on twice"):
        story.refer(referrals.ReferralAccepted, NOISE, POLICE)
        accepted = story.said.pop()
        story.say(accepted.topic, accepted.event, cause=story.name(cause))
    await world.hear(story)
    await world.refresh_figures()
    assert (await world.staff.get("/reconciliation")).json()["duplicates"] == 1


@pytest.mark.parametrize("path", ["/cases/x/journey", "/cases/x/traces", f"/traces/{TRACE}"])
async def test_cases_and_traces_are_for_operators_only(unheard: World, path: str) -> None:
    assert (await unheard.public.get(path)).status_code == 401
    assert (await unheard.public.get(path, headers={"authorization": "Bearer guessed"})).status_code == 401
    assert (await unheard.staff.get(path)).status_code == 404


async def test_a_journey_is_found_by_either_id_and_is_told_in_order(world: World) -> None:
    story = any_story(7, 7)
    await world.hear(story, any_story(8, 8))
    by_case = (await world.staff.get(f"/cases/{story.case_id}/journey")).json()
    by_request = (await world.staff.get(f"/cases/{story.service_request_id}/journey")).json()
    assert by_case == by_request
    types = [entry["type"] for entry in by_case["entries"]]
    assert sorted(types) == sorted(one.envelope.type for one in story.said)
    assert types[0] == "case.submitted.v1"


async def test_a_journey_tells_nobodys_own_words(world: World) -> None:
    story = Story(1).file((NOISE,)).route({NOISE: POLICE}).answer(NOISE, POLICE, "Maria Lopez did not open")
    await world.hear(story)
    assert "Maria" not in (await world.staff.get(f"/cases/{story.case_id}/journey")).text


async def test_the_dashboard_shows_figures_and_hides_small_groups(settled: World) -> None:
    page = (await settled.public.get("/")).text
    assert "Every report is accounted for" in page
    assert "1 h 40 min" in page
    assert "Too few to show: parks." in page
    assert "stands for a count that is not shown" in page


async def test_the_dashboard_has_something_to_say_before_anything_was_heard(unheard: World) -> None:
    answer = await unheard.public.get("/")
    assert answer.status_code == 200
    assert "No event has been received yet" in answer.text
