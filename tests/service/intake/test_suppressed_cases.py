"""A report protected as victim services is suppressed: no sign of it anywhere until its person names an agency."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import pytest

from shared.events.fields import FieldGroup
from tests.service.intake.harness import KEY, IntakeHarness
from tests.unit.intake.fixtures import form, without

pytestmark = pytest.mark.servers

PROTECTED = form(service_code="violence", description="He hurt me", **{"attribute[scope]": ""})
TO_THE_REFUGE = {"consent[recipients]": "refuge", "always": "victim_services"}


@pytest.fixture(autouse=True)
def now(harness: IntakeHarness) -> None:
    """The consents of these tests end by the database's clock."""
    harness.clock.shown = datetime.now(UTC)


def tomorrow(days: int = 1) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


async def token_of(harness: IntakeHarness, **more: str) -> str:
    response = await harness.file(PROTECTED | {name: [value] for name, value in more.items()})
    assert response.status_code == HTTPStatus.CREATED, response.text
    return str(response.json()[0]["token"])


def signs(harness: IntakeHarness) -> list[Any]:
    """Return what others could see of a case."""
    return [*harness.rows("SELECT 1 FROM outbox"), *harness.rows("SELECT 1 FROM outbox_sequences")]


async def test_it_is_stored_sealed_and_no_event_tells_of_it(harness: IntakeHarness) -> None:
    token = await token_of(harness)

    assert harness.rows("SELECT announced, protected FROM cases") == [(False, True)]
    assert signs(harness) == []
    assert "He hurt me" not in str(harness.snapshot())
    text = (await harness.client.get(f"/status/{token}")).text
    assert "We have told no one about this report." in text
    assert "He hurt me" in text
    assert "We are looking for the right agency" not in text
    assert "We tell no one about it." in (await harness.client.get(f"/filed/{token}")).text
    assert await harness.get("requests.json") == []


async def test_a_need_that_only_such_services_have_protects_a_report_too(harness: IntakeHarness) -> None:
    await harness.file(form(need="safety"))

    assert signs(harness) == []


async def test_numbers_that_the_public_sees_have_no_gap_where_it_is(harness: IntakeHarness) -> None:
    answers = [await harness.file(fields) for fields in (form(), PROTECTED, form(), PROTECTED, form())]
    numbers = [answer.json()[0]["service_request_id"] for answer in answers]

    seen = [int(number.split("-")[1]) for number in (numbers[0], numbers[2], numbers[4])]
    assert seen == [seen[0], seen[0] + 1, seen[0] + 2]
    assert all(re.fullmatch(r"[0-9]{2}-[0-9]{12}", number) for number in (numbers[1], numbers[3]))


async def test_with_a_consent_it_is_announced_at_once_and_the_consent_after_it(harness: IntakeHarness) -> None:
    named = {"consent[recipients]": "refuge", "consent[groups]": "victim_services"}
    await token_of(harness, **named, **{"consent[ends_at]": tomorrow(9)})

    assert [(said["type"], said["sequence"]) for said in harness.outbox()] == [
        ("case.submitted.v1", 1),
        ("consent.granted.v1", 2),
    ]
    assert harness.rows("SELECT announced, unsaid FROM cases") == [(True, None)]


async def test_the_first_consent_on_the_status_page_announces_it_once(harness: IntakeHarness) -> None:
    token = await token_of(harness)
    asked = await harness.client.get(f"/status/{token}/share")
    assert "Safe House" in asked.text
    (once,) = re.findall(r'name="once" value="(\w+)"', asked.text)
    chosen = TO_THE_REFUGE | {"once": once, "consent[ends_at]": tomorrow(9), "lang": "en"}

    sure = await harness.client.post(f"/status/{token}/share", data=chosen)
    assert "This also passes your report on" in sure.text
    assert signs(harness) == []
    answers = await asyncio.gather(
        *(harness.client.post(f"/status/{token}/share", data=chosen | {"sure": "yes"}) for _ in range(4))
    )

    assert {answer.status_code for answer in answers} == {HTTPStatus.SEE_OTHER}
    assert [(said["type"], said["sequence"]) for said in harness.outbox()] == [
        ("case.submitted.v1", 1),
        ("consent.granted.v1", 2),
    ]
    (event,) = harness.submitted()
    assert harness.unseal(event)["narrative"]["description"] == "He hurt me"
    text = (await harness.client.get(f"/status/{token}")).text
    assert "We have told no one" not in text
    assert "Take back" in text


async def test_a_problem_with_a_choice_is_shown_in_the_form_and_nothing_is_stored(harness: IntakeHarness) -> None:
    token = await token_of(harness)

    nobody = await harness.client.post(f"/status/{token}/share", data={"always": "victim_services", "sure": "yes"})
    too_long = await harness.client.post(
        f"/status/{token}/share", data=TO_THE_REFUGE | {"consent[ends_at]": "2099-01-01", "sure": "yes"}
    )

    assert nobody.status_code == too_long.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert 'id="consent[recipients]-problem"' in nobody.text
    assert 'id="consent[ends_at]-problem"' in too_long.text
    assert 'value="2099-01-01"' in too_long.text
    assert re.search(r'value="refuge" checked', too_long.text)
    assert signs(harness) == []
    assert harness.rows("SELECT 1 FROM vault.consents") == []


async def test_a_consent_is_taken_back_after_a_page_that_says_what_follows(harness: IntakeHarness) -> None:
    token = await token_of(harness)
    chosen = TO_THE_REFUGE | {"once": "x", "consent[ends_at]": tomorrow(9), "sure": "yes"}
    await harness.client.post(f"/status/{token}/share", data=chosen)
    ((consent_id,),) = harness.rows("SELECT consent_id FROM vault.consents")
    path = f"/status/{token}/consents/{consent_id}"

    asked = await harness.client.get(path)
    assert "From then on they receive nothing more" in asked.text
    assert len(harness.outbox()) == 2
    for _ in range(2):
        assert (await harness.client.post(path)).status_code == HTTPStatus.SEE_OTHER

    assert [said["type"] for said in harness.outbox()][2:] == ["consent.withdrawn.v1"]
    assert "You took it back on" in (await harness.client.get(f"/status/{token}")).text
    assert (await harness.client.get(path)).status_code == HTTPStatus.NOT_FOUND


async def test_a_token_withdraws_consents_of_its_own_report_only(harness: IntakeHarness) -> None:
    token, other = await token_of(harness), await token_of(harness)
    chosen = TO_THE_REFUGE | {"once": "x", "consent[ends_at]": tomorrow(9), "sure": "yes"}
    await harness.client.post(f"/status/{token}/share", data=chosen)
    ((consent_id,),) = harness.rows("SELECT consent_id FROM vault.consents")

    response = await harness.client.post(f"/status/{other}/consents/{consent_id}")

    assert response.status_code == HTTPStatus.NOT_FOUND
    assert harness.rows("SELECT 1 FROM vault.consents WHERE withdrawn_at IS NOT NULL") == []


async def test_a_suppressed_report_is_withdrawn_without_an_event(harness: IntakeHarness) -> None:
    token = await token_of(harness)

    await harness.client.post(f"/status/{token}/withdraw")

    assert signs(harness) == []
    assert harness.rows("SELECT status, resolution FROM cases") == [("closed", "withdrawn")]
    assert (await harness.client.get(f"/status/{token}/share")).status_code == HTTPStatus.NOT_FOUND
    chosen = TO_THE_REFUGE | {"consent[ends_at]": tomorrow(9), "sure": "yes"}
    await harness.client.post(f"/status/{token}/share", data=chosen)
    assert signs(harness) == []


async def test_an_imported_record_of_such_a_service_is_not_announced(harness: IntakeHarness) -> None:
    record = {
        "external_id": "A-1",
        "service_code": "violence",
        "description": "x",
        "requested_at": "2026-01-01T00:00:00Z",
        "status": "open",
        "source_agency": "X",
        "channel": "PHONE",
    }
    for _ in range(2):
        assert (await harness.import_all([record])).status_code == HTTPStatus.OK

    assert harness.rows("SELECT announced FROM cases") == [(False,)]
    assert signs(harness) == []


async def test_the_form_says_that_no_one_is_told_and_files_with_or_without_a_choice(
    harness: IntakeHarness,
) -> None:
    asked = (await harness.client.get("/report?service_code=violence")).text
    spanish = (await harness.client.get("/report?service_code=violence&lang=es")).text
    filled = without(PROTECTED, "lat", "long") | {"address_string": ["1 Elm St"], "always": ["victim_services"]}
    silent = await harness.client.post("/report", data=filled | {"once": ["1"], "consent[ends_at]": [tomorrow(5)]})
    told = await harness.client.post(
        "/report",
        data=filled | {"once": ["2"], "consent[recipients]": ["refuge"], "consent[ends_at]": [tomorrow(5)]},
    )

    assert "We tell no one about this report unless you allow it." in asked
    assert "No informamos a nadie de este informe" in spanish
    assert silent.status_code == told.status_code == HTTPStatus.SEE_OTHER
    assert harness.rows("SELECT announced FROM cases ORDER BY submitted_at, announced") == [(False,), (True,)]
    assert harness.rows("SELECT groups, how FROM vault.consents") == [(["victim_services"], "form")]


async def test_an_ordinary_report_offers_what_needs_a_consent_and_asks_for_no_more(harness: IntakeHarness) -> None:
    heat = (await harness.client.get("/report?service_code=no-heat")).text
    noise = (await harness.client.get("/report?service_code=noise")).text

    assert "Town Clinic" in heat
    assert f'name="always" value="{FieldGroup.NEED.value}"' in heat
    assert "consent[" not in noise
    assert KEY not in heat
