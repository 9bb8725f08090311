"""Disclosures, emergency access and erasure appear in journeys, change no figure, and reveal no restricted group."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from shared.events import disclosures, intake
from shared.events.topics import AGENCY_UPDATES, CASES, DELIVERIES, REFERRALS, TopicSpec
from tests.builders import golden_records, unknown_type_record
from tests.service.metrics.harness import MetricsHarness
from tests.unit.metrics.case_events import CaseEvents, random_case
from tests.unit.metrics.test_spans import request, sent

pytestmark = pytest.mark.servers
NOISE, POLICE, SECRET, HELP = "noise", "nypd", "intimate-partner-violence", "safe-harbor"


def erase(case: CaseEvents) -> CaseEvents:
    event = intake.PersonErased(case_id=case.case_id, person_id=case.name("person"), erased_at=case.now)
    return case.publish(CASES.topic, event)


def disclose(case: CaseEvents, **more: Any) -> CaseEvents:
    """Publish a disclosure, an emergency access and a recall."""
    about = {"case_id": case.case_id, "referral_id": case.name("r"), "agency": "hra", "occurred_at": case.now}
    groups = {"groups": ["need", "health", "victim_services", "substance_use"]}
    grounds = [{"kind": "agreement", "id": "recovery-care/needs", "version": 1}]
    given = {"receipt_id": case.name("receipt"), "channel": "read", "purpose": "recovery", "grounds": grounds}
    until = {"access_id": case.name("access"), "ends_at": case.now + timedelta(hours=4)}
    back = {"receipts": [case.name("receipt")], "consent_id": case.name("consent"), "why": "consent-withdrawn"}
    case.publish(REFERRALS.topic, disclosures.DisclosureMade.model_validate(about | groups | given | more))
    case.publish(REFERRALS.topic, disclosures.EmergencyAccessOpened.model_validate(about | groups | until | more))
    return case.publish(REFERRALS.topic, disclosures.DisclosureRecalled.model_validate(about | groups | back))


async def figures(harness: MetricsHarness) -> list[Any]:
    """Return all figures without their times."""
    await harness.refresh_figures()
    tables = ("totals WHERE n <> 0", "cells", "case_clocks", "referral_clocks", "case_tallies")
    return [sorted(map(str, harness.query(f"SELECT * FROM {table}"))) for table in tables]


async def test_an_erased_person_leaves_every_figure_as_it_was_also_after_a_replay(harness: MetricsHarness) -> None:
    cases = [random_case(number, number) for number in range(20)]
    await harness.consume(*cases)
    before = await figures(harness)
    gone = CaseEvents(3, now=cases[3].now, events=list(cases[3].events))
    await harness.consume(erase(gone))
    assert await figures(harness) == before
    harness.query("DELETE FROM inbox RETURNING 1")
    await harness.consume(*cases, gone)
    assert await figures(harness) == before


async def test_a_disclosure_changes_no_figure(harness: MetricsHarness) -> None:
    case = CaseEvents(1).file((NOISE,)).route({NOISE: POLICE})
    await harness.consume(case)
    before = await figures(harness)
    await harness.consume(disclose(case))
    assert await figures(harness) == before


async def test_a_journey_shows_disclosures_and_names_no_restricted_group(harness: MetricsHarness) -> None:
    case = disclose(CaseEvents(1).file((NOISE,)).route({NOISE: POLICE}))
    await harness.consume(case)
    answer = await harness.staff.get(f"/cases/{case.case_id}/journey")
    summaries = {entry["type"]: entry["summary"] for entry in answer.json()["entries"]}
    assert summaries["disclosure.made.v1"] == {"agency": "hra", "channel": "read", "groups": ["need", "restricted"]}
    assert summaries["disclosure.recalled.v1"]["why"] == "consent-withdrawn"
    assert summaries["emergency.opened.v1"]["agency"] == "hra"
    assert not [word for word in ("victim_services", "substance_use", "health", "recovery") if word in answer.text]


@pytest.mark.parametrize("service", ["partner-violence-help", "alcohol-or-drug-help", "never-records-of"])
async def test_a_protected_report_shows_what_happened_and_not_what_it_is_about(
    harness: MetricsHarness, service: str
) -> None:
    trace = f"00-{1:032x}-{1:016x}-01"
    case = CaseEvents(1, traceparent=trace).file((SECRET,), service_code=service).route({SECRET: HELP})
    await harness.consume(disclose(case.answer(SECRET, HELP)))
    step = sent(1)
    step.attributes[0].value.string_value = str(case.case_id)
    step.name = f"agency.{HELP}.inbox.v1 publish"
    content = request(step).SerializeToString()
    await harness.staff.post("/v1/traces", content=content, headers={"content-type": "application/x-protobuf"})
    pages = (f"/cases/{case.case_id}/journey", f"/cases/{case.case_id}/traces", f"/traces/{1:032x}")
    for page in pages:
        answer = await harness.staff.get(page)
        assert "undisclosed" in answer.text
        assert not [word for word in (SECRET, HELP, service, "hra", "victim_services") if word in answer.text]


async def test_a_case_that_is_protected_by_its_need_alone_is_redacted_too(harness: MetricsHarness) -> None:
    case = CaseEvents(1).file((SECRET,)).route({SECRET: HELP})
    await harness.consume(case)
    assert SECRET not in (await harness.staff.get(f"/cases/{case.case_id}/journey")).text


async def test_reports_about_violence_are_counted_in_totals_and_in_no_row(harness: MetricsHarness) -> None:
    """Operators do not see them in tables by agency, need or district either."""
    await harness.consume(*(CaseEvents(number).file((NOISE,)).route({NOISE: POLICE}) for number in range(12)))
    await harness.consume(*(CaseEvents(100 + n).file((SECRET,)).route({SECRET: HELP}).resolve() for n in range(12)))
    await harness.refresh_figures()
    assert (await harness.public.get("/reconciliation")).json()["accepted"] == 24
    for by, row in {"agency": POLICE, "need": NOISE, "district": "bronx"}.items():
        staff = (await harness.staff.get(f"/clocks?by={by}&clock=resolution")).json()
        public = (await harness.public.get(f"/clocks?by={by}&clock=resolution")).json()
        assert {one[by] for one in staff} == {row, "undisclosed"}
        assert {one[by] for one in public} == {row}
    assert "ndisclosed" not in (await harness.public.get("/")).text


@pytest.mark.parametrize("language", [CASES, REFERRALS, DELIVERIES, AGENCY_UPDATES])
async def test_every_published_event_of_any_version_is_consumed_and_none_becomes_a_dead_letter(
    harness: MetricsHarness, language: TopicSpec
) -> None:
    records = [*golden_records(language), unknown_type_record(language)]
    for one in records:
        await harness.consumers[language.topic]([one, one])
    assert harness.query("SELECT reason FROM dead_letters") == []
    [entry] = harness.query("SELECT type, summary FROM journey_entries WHERE type = 'unknown'")
    assert entry["summary"] == {}


async def test_the_subject_export_has_every_row_about_a_case(harness: MetricsHarness) -> None:
    case, other = disclose(random_case(1, 1)), random_case(2, 2)
    await harness.consume(case, other)
    await harness.refresh_figures()
    answer = (await harness.staff.get(f"/cases/{case.case_id}/held")).json()
    assert answer["service"] == "metrics"
    assert [row["service_request_id"] for row in answer["held"]["case_facts"]] == [case.service_request_id]
    assert len(answer["held"]["journey_entries"]) == len(case.events)
    assert str(other.case_id) not in str(answer)
    tables = harness.query(
        "SELECT DISTINCT table_name FROM information_schema.columns"
        " WHERE table_schema = 'metrics' AND column_name = 'case_id'"
    )
    assert {row["table_name"] for row in tables} <= answer["held"].keys()


async def test_the_subject_export_is_for_operators_only_and_that_of_an_unknown_case_is_empty(
    empty: MetricsHarness,
) -> None:
    assert (await empty.public.get(f"/cases/{uuid4()}/held")).status_code == 401
    assert (await empty.staff.get("/cases/17/held")).status_code == 422
    assert not any((await empty.staff.get(f"/cases/{uuid4()}/held")).json()["held"].values())


async def test_the_subject_export_leaves_out_what_is_under_an_embargo(harness: MetricsHarness) -> None:
    case = CaseEvents(1).file((NOISE,))
    await harness.consume(disclose(case, shown_from=datetime.now(UTC) + timedelta(days=1)))
    entries = (await harness.staff.get(f"/cases/{case.case_id}/held")).json()["held"]["journey_entries"]
    assert {entry["type"] for entry in entries} == {"case.submitted.v1", "disclosure.recalled.v1"}
