"""What is shared, recalled, opened and erased is seen in a journey, changes no figure, and names nothing restricted."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared.events import disclosures, intake
from shared.events.topics import AGENCY_UPDATES, CASES, DELIVERIES, REFERRALS, TopicSpec
from tests.heard import samples_of, stranger
from tests.service.metrics.world import World
from tests.unit.metrics.stories import Story, any_story
from tests.unit.metrics.test_spans import request, sent

pytestmark = pytest.mark.servers
NOISE, POLICE, SECRET, HELP = "noise", "nypd", "intimate-partner-violence", "safe-harbor"


def erase(story: Story) -> Story:
    event = intake.PersonErased(case_id=story.case_id, person_id=story.name("person"), erased_at=story.now)
    return story.say(CASES.topic, event)


def disclose(story: Story, **more: Any) -> Story:
    """Say that an agency was given something, that it was opened in an emergency, and that it was recalled."""
    about = {"case_id": story.case_id, "referral_id": story.name("r"), "agency": "hra", "occurred_at": story.now}
    groups = {"groups": ["need", "health", "victim_services", "substance_use"]}
    grounds = [{"kind": "agreement", "id": "recovery-care/needs", "version": 1}]
    given = {"receipt_id": story.name("receipt"), "channel": "read", "purpose": "recovery", "grounds": grounds}
    until = {"access_id": story.name("access"), "ends_at": story.now + timedelta(hours=4)}
    back = {"receipts": [story.name("receipt")], "consent_id": story.name("consent"), "why": "consent-withdrawn"}
    story.say(REFERRALS.topic, disclosures.DisclosureMade.model_validate(about | groups | given | more))
    story.say(REFERRALS.topic, disclosures.EmergencyAccessOpened.model_validate(about | groups | until | more))
    return story.say(REFERRALS.topic, disclosures.DisclosureRecalled.model_validate(about | groups | back))


async def figures(world: World) -> list[Any]:
    """Return all that is counted, but for when."""
    await world.refresh_figures()
    tables = ("totals WHERE n <> 0", "cells", "case_clocks", "referral_clocks", "case_tallies")
    return [sorted(map(str, world.query(f"SELECT * FROM {table}"))) for table in tables]


async def test_an_erased_person_leaves_every_figure_as_it_was_also_after_a_replay(world: World) -> None:
    stories = [any_story(number, number) for number in range(20)]
    await world.hear(*stories)
    before = await figures(world)
    gone = Story(3, now=stories[3].now, said=list(stories[3].said))
    await world.hear(erase(gone))
    assert await figures(world) == before
    world.query("DELETE FROM inbox RETURNING 1")
    await world.hear(*stories, gone)
    assert await figures(world) == before


async def test_a_disclosure_changes_no_figure(world: World) -> None:
    story = Story(1).file((NOISE,)).route({NOISE: POLICE})
    await world.hear(story)
    before = await figures(world)
    await world.hear(disclose(story))
    assert await figures(world) == before


async def test_a_journey_shows_what_was_given_to_whom_and_names_no_restricted_group(world: World) -> None:
    story = disclose(Story(1).file((NOISE,)).route({NOISE: POLICE}))
    await world.hear(story)
    answer = await world.staff.get(f"/cases/{story.case_id}/journey")
    told = {entry["type"]: entry["summary"] for entry in answer.json()["entries"]}
    assert told["disclosure.made.v1"] == {"agency": "hra", "channel": "read", "groups": ["need", "restricted"]}
    assert told["disclosure.recalled.v1"]["why"] == "consent-withdrawn"
    assert told["emergency.opened.v1"]["agency"] == "hra"
    assert not [word for word in ("victim_services", "substance_use", "health", "recovery") if word in answer.text]


@pytest.mark.parametrize("service", ["partner-violence-help", "alcohol-or-drug-help", "never-heard-of"])
async def test_a_protected_report_shows_what_happened_and_not_what_it_is_about(world: World, service: str) -> None:
    trace = f"00-{1:032x}-{1:016x}-01"
    story = Story(1, traceparent=trace).file((SECRET,), service_code=service).route({SECRET: HELP})
    await world.hear(disclose(story.answer(SECRET, HELP)))
    step = sent(1)
    step.attributes[0].value.string_value = str(story.case_id)
    step.name = f"agency.{HELP}.inbox.v1 publish"
    content = request(step).SerializeToString()
    await world.staff.post("/v1/traces", content=content, headers={"content-type": "application/x-protobuf"})
    pages = (f"/cases/{story.case_id}/journey", f"/cases/{story.case_id}/traces", f"/traces/{1:032x}")
    for page in pages:
        answer = await world.staff.get(page)
        assert "undisclosed" in answer.text
        assert not [word for word in (SECRET, HELP, service, "hra", "victim_services") if word in answer.text]


async def test_what_protects_by_its_need_alone_is_not_told_either(world: World) -> None:
    story = Story(1).file((SECRET,)).route({SECRET: HELP})
    await world.hear(story)
    assert SECRET not in (await world.staff.get(f"/cases/{story.case_id}/journey")).text


async def test_reports_about_violence_are_counted_in_totals_and_in_no_row(world: World) -> None:
    """Not even an operator sees them in a table of agencies, needs or districts."""
    await world.hear(*(Story(number).file((NOISE,)).route({NOISE: POLICE}) for number in range(12)))
    await world.hear(*(Story(100 + n).file((SECRET,)).route({SECRET: HELP}).resolve() for n in range(12)))
    await world.refresh_figures()
    assert (await world.public.get("/reconciliation")).json()["accepted"] == 24
    for by, row in {"agency": POLICE, "need": NOISE, "district": "bronx"}.items():
        staff = (await world.staff.get(f"/clocks?by={by}&clock=resolution")).json()
        public = (await world.public.get(f"/clocks?by={by}&clock=resolution")).json()
        assert {one[by] for one in staff} == {row, "undisclosed"}
        assert {one[by] for one in public} == {row}
    assert "ndisclosed" not in (await world.public.get("/")).text


@pytest.mark.parametrize("language", [CASES, REFERRALS, DELIVERIES, AGENCY_UPDATES])
async def test_whatever_is_said_and_ever_was_is_heard_and_nothing_of_it_is_set_aside(
    world: World, language: TopicSpec
) -> None:
    heard = [*samples_of(language), stranger(language)]
    for one in heard:
        await world.consumers[language.topic]([one, one])
    assert world.query("SELECT reason FROM dead_letters") == []
    [entry] = world.query("SELECT type, summary FROM journey_entries WHERE type = 'unknown'")
    assert entry["summary"] == {}


async def test_everything_that_is_held_about_a_case_is_told(world: World) -> None:
    story, other = disclose(any_story(1, 1)), any_story(2, 2)
    await world.hear(story, other)
    await world.refresh_figures()
    told = (await world.staff.get(f"/cases/{story.case_id}/held")).json()
    assert told["service"] == "metrics"
    assert [row["service_request_id"] for row in told["held"]["case_facts"]] == [story.service_request_id]
    assert len(told["held"]["journey_entries"]) == len(story.said)
    assert str(other.case_id) not in str(told)
    tables = world.query(
        "SELECT DISTINCT table_name FROM information_schema.columns"
        " WHERE table_schema = 'metrics' AND column_name = 'case_id'"
    )
    assert {row["table_name"] for row in tables} <= told["held"].keys()


async def test_what_is_held_is_for_operators_only_and_of_an_unknown_case_nothing_is(unheard: World) -> None:
    assert (await unheard.public.get(f"/cases/{uuid4()}/held")).status_code == 401
    assert (await unheard.staff.get("/cases/17/held")).status_code == 422
    assert not any((await unheard.staff.get(f"/cases/{uuid4()}/held")).json()["held"].values())


async def test_what_may_not_be_told_yet_is_not_among_what_is_held(world: World) -> None:
    story = Story(1).file((NOISE,))
    await world.hear(disclose(story, shown_from=datetime.now(UTC) + timedelta(days=1)))
    entries = (await world.staff.get(f"/cases/{story.case_id}/held")).json()["held"]["journey_entries"]
    assert {entry["type"] for entry in entries} == {"case.submitted.v1", "disclosure.recalled.v1"}
