"""Reports that are submitted together share a statement; an error in one of them fails only that one."""

import asyncio
from http import HTTPStatus

import psycopg
import pytest

from tests.service.intake.harness import IntakeHarness
from tests.unit.intake.fixtures import form

pytestmark = pytest.mark.servers


async def test_reports_that_come_in_together_share_a_commit(harness: IntakeHarness) -> None:
    await harness.file(form())

    answers = await asyncio.gather(*(harness.file(form()) for _ in range(40)))

    assert {answer.status_code for answer in answers} == {HTTPStatus.CREATED}
    assert len({answer.json()[0]["service_request_id"] for answer in answers}) == 40
    ((commits,),) = harness.rows("SELECT count(DISTINCT xmin::text) FROM cases")
    assert commits < 20
    assert harness.count()["outbox"] == harness.count()["vault.person_keys"] == 41


async def test_a_report_that_the_database_refuses_holds_up_no_other(harness: IntakeHarness) -> None:
    harness.rows("ALTER TABLE cases ADD CONSTRAINT english_only CHECK (language = 'en')")

    answers = await asyncio.gather(
        *(harness.file(form(language=language), key=f"{language}{n}") for n in range(8) for language in ("en", "es"))
    )

    assert [answer.status_code for answer in answers] == [HTTPStatus.CREATED, HTTPStatus.INTERNAL_SERVER_ERROR] * 8
    assert harness.count()["cases"] == harness.count()["idempotency_keys"] == 8


async def test_a_tray_that_is_full_or_whose_database_does_not_answer_asks_to_come_again(harness: IntakeHarness) -> None:
    await harness.file(form())
    harness.context.batcher.max_pending, harness.context.batcher.timeout_seconds = 4, 1.0
    with psycopg.connect(harness.own.admin_url) as other:
        other.execute("LOCK TABLE intake.outbox")
        answers = await asyncio.gather(*(harness.file(form()) for _ in range(12)))
        other.rollback()

    assert {answer.status_code for answer in answers} == {HTTPStatus.SERVICE_UNAVAILABLE}
    harness.context.batcher.timeout_seconds = 10.0
    assert (await harness.file(form())).status_code == HTTPStatus.CREATED
    assert harness.count()["cases"] == harness.count()["outbox"] <= 12
