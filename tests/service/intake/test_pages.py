"""A resident files a report by a form, once however often they click, follows it, and can withdraw it."""

import asyncio
import re
from http import HTTPStatus
from typing import Any

import pytest

from tests.builders import HOUR, NOON
from tests.service.intake.harness import IntakeHarness
from tests.unit.intake.fixtures import form, without

pytestmark = pytest.mark.servers

FILLED = without(form(description="Cold <b>here</b>", address_string="1 Elm St", email="a@example.org"), "lat", "long")


async def submit(harness: IntakeHarness, once: str = "0123456789", **fields: Any) -> Any:
    return await harness.client.post("/report", data=FILLED | {"once": [once]} | fields)


async def filed(harness: IntakeHarness) -> str:
    response = await submit(harness)
    assert response.status_code == HTTPStatus.SEE_OTHER
    return str(re.fullmatch(r"/filed/([\w-]{43})\?lang=en", response.headers["location"]).group(1))  # type: ignore[union-attr]


async def page(harness: IntakeHarness, path: str, **headers: str) -> str:
    response = await harness.client.get(path, headers=headers)
    assert response.status_code == HTTPStatus.OK, response.text
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    return response.text


async def test_services_are_offered_under_their_headings_in_the_browser_s_language(harness: IntakeHarness) -> None:
    english = await page(harness, "/")
    spanish = await page(harness, "/", **{"Accept-Language": "es-MX,es;q=0.9"})

    assert '<html lang="en">' in english
    assert "Noise &amp; din" in english
    assert "/report?service_code=no-heat&amp;lang=en" in english
    assert '<html lang="es">' in spanish


async def test_the_form_asks_the_service_s_own_questions(harness: IntakeHarness) -> None:
    text = await page(harness, "/report?service_code=no-heat")

    for name in ("attribute[scope]", "attribute[rooms][]", "attribute[since]", "description", "address_string", "need"):
        assert f'name="{name}"' in text
    assert 'type="datetime-local"' in text
    assert text.count("<label") >= 10


async def test_a_report_is_filed_and_its_holder_is_shown_where_to_follow_it(harness: IntakeHarness) -> None:
    token = await filed(harness)

    confirmation = await page(harness, f"/filed/{token}")

    (event,) = harness.submitted()
    assert event.origin.channel == "web"
    assert event.service_request_id in confirmation
    assert f"/status/{token}" in confirmation
    assert harness.unseal(event)["contact"] == {"email": "a@example.org"}


async def test_two_clicks_file_one_report(harness: IntakeHarness) -> None:
    responses = await asyncio.gather(*(submit(harness) for _ in range(5)))

    assert len({response.headers["location"] for response in responses}) == 1
    assert harness.count()["cases"] == 1


async def test_a_form_that_was_sent_and_then_changed_asks_before_it_files_again(harness: IntakeHarness) -> None:
    await filed(harness)

    changed = await submit(harness, description=["Warm"])

    assert changed.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "You have already sent this form" in changed.text
    (once,) = re.findall(r'name="once" value="(\w+)"', changed.text)
    again = await submit(harness, once=once, description=["Warm"])
    assert again.status_code == HTTPStatus.SEE_OTHER
    assert harness.count()["cases"] == 2


async def test_a_problem_is_shown_beside_its_field_and_the_input_stays_in_the_form(harness: IntakeHarness) -> None:
    response = await submit(harness, email=["nobody"], **{"attribute[scope]": [""]})  # type: ignore[arg-type]

    assert response.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert 'role="alert"' in response.text
    assert 'id="email-problem"' in response.text
    assert 'id="attribute[scope]-problem"' in response.text
    assert 'value="nobody"' in response.text
    assert "Cold &lt;b&gt;here&lt;/b&gt;" in response.text
    assert harness.count()["cases"] == 0


async def test_the_status_page_shows_the_holder_their_own_words_escaped(harness: IntakeHarness) -> None:
    token = await filed(harness)

    text = await page(harness, f"/status/{token}")

    assert "Cold &lt;b&gt;here&lt;/b&gt;" in text
    assert "a@example.org" in text
    assert "March 2, 2026, 07:00" in text
    assert "<script" not in text


async def test_answers_of_every_group_are_among_the_holder_s_own_words(harness: IntakeHarness) -> None:
    response = await submit(harness, **{"attribute[asthma]": ["yes"], "attribute[children]": ["3"]})  # type: ignore[arg-type]
    token = response.headers["location"].split("/")[2].split("?")[0]

    text = await page(harness, f"/status/{token}")

    for label, answer in (("scope?", "Flat"), ("asthma?", "Yes"), ("children?", "3")):
        assert f"<dt>{label}</dt><dd>{answer}</dd>" in text


async def test_a_request_without_a_valid_token_sees_nothing(harness: IntakeHarness) -> None:
    token = await filed(harness)
    guessed = token[:30] + ("A" if token[30] != "A" else "B") + token[31:]

    for path in (f"/status/{guessed}", "/status/x", f"/filed/{guessed}", "/nothing"):
        assert (await harness.client.get(path)).status_code == HTTPStatus.NOT_FOUND
    await harness.client.post(f"/status/{guessed}/withdraw")
    assert [said["type"] for said in harness.outbox()] == ["case.submitted.v1"]


async def test_a_report_is_withdrawn_once(harness: IntakeHarness) -> None:
    token = await filed(harness)
    harness.clock.shown = NOON + HOUR

    first = await harness.client.post(f"/status/{token}/withdraw")
    await harness.client.post(f"/status/{token}/withdraw")

    assert first.status_code == HTTPStatus.SEE_OTHER
    assert [(said["type"], said["sequence"]) for said in harness.outbox()] == [
        ("case.submitted.v1", 1),
        ("case.withdrawn.v1", 2),
    ]
    assert harness.outbox()[1]["withdrawn_at"] == "2026-03-02T13:00:00Z"
    text = await page(harness, f"/status/{token}")
    assert "Withdrawn by the person who reported it" in text
    assert "/withdraw" not in text


async def test_a_closed_case_is_not_withdrawn(harness: IntakeHarness) -> None:
    token = await filed(harness)
    harness.rows("UPDATE cases SET status = 'closed', resolution = 'completed', closed_at = submitted_at")

    await harness.client.post(f"/status/{token}/withdraw")

    assert len(harness.outbox()) == 1


async def test_the_words_of_an_erased_person_are_gone(harness: IntakeHarness) -> None:
    token = await filed(harness)
    harness.rows("DELETE FROM vault.person_keys")

    text = await page(harness, f"/status/{token}")

    assert "What you told us has been erased." in text
    assert "a@example.org" not in text


async def test_a_form_that_cannot_be_read_is_answered_with_a_page(harness: IntakeHarness) -> None:
    too_large = await harness.client.post("/report", content=b"a=" + b"x" * 2_000_000)
    unreadable = await harness.client.post("/report", content=b"a=%ff")

    assert too_large.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert unreadable.status_code == HTTPStatus.BAD_REQUEST
    assert "We could not read the form" in unreadable.text


async def test_the_style_is_served_and_nothing_beside_it(harness: IntakeHarness) -> None:
    assert (await harness.client.get("/static/intake.css")).status_code == HTTPStatus.OK
    assert (await harness.client.get("/static/nothing.css")).status_code == HTTPStatus.NOT_FOUND
    assert (await harness.client.get("/static/..%2fpages.py")).status_code == HTTPStatus.NOT_FOUND


async def test_no_address_of_a_page_holds_anything_personal(harness: IntakeHarness) -> None:
    response = await submit(harness)

    assert "example.org" not in response.headers["location"]
    assert "Elm" not in response.headers["location"]
