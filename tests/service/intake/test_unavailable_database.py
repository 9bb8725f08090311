"""Without its database intake answers 503 with Retry-After, and never 201 for a report that is not stored."""

from http import HTTPStatus

import httpx
import psycopg
import pytest
from starlette.applications import Starlette

from deploy.local.servers.databases import OwnDatabase
from services.intake.app import http_routes
from tests.service.intake.harness import KEY, FrozenClock, IntakeHarness, make_context
from tests.unit.intake.fixtures import form

pytestmark = pytest.mark.servers


async def test_a_database_that_is_away_is_answered_with_503_in_the_caller_s_form() -> None:
    context = make_context("postgresql://nobody:x@127.0.0.1:1/nowhere", FrozenClock())
    context.database.pool.timeout = 0.5
    await context.database.open()
    try:
        transport = httpx.ASGITransport(Starlette(routes=http_routes(context)))
        async with httpx.AsyncClient(transport=transport, base_url="http://front-door") as client:
            report = await client.post("/open311/v2/requests.json", data=form(api_key=KEY))
            page = await client.post("/report", data=form(address_string="1 Elm St"))
            services = await client.get("/open311/v2/services.json")
    finally:
        await context.database.close()

    assert report.status_code == page.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert report.headers["retry-after"] == page.headers["retry-after"] == "2"
    assert report.json()[0]["code"] == HTTPStatus.SERVICE_UNAVAILABLE
    assert "Please try again in a moment" in page.text
    assert services.status_code == HTTPStatus.OK


@pytest.mark.parametrize("fault", ["disk_full", "read_only_sql_transaction"])
async def test_a_database_that_cannot_write_is_answered_with_503(harness: IntakeHarness, fault: str) -> None:
    harness.rows(
        f"""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{fault}'; END $$
        """
    )
    harness.rows("CREATE TRIGGER refuse BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION refuse()")

    response = await harness.file(form())

    assert response.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert response.headers["retry-after"]
    assert harness.count()["cases"] == 0


async def test_a_report_is_filed_after_the_database_has_dropped_every_connection(
    harness: IntakeHarness, database: OwnDatabase
) -> None:
    await harness.file(form(), key="first")
    with psycopg.connect(database.admin_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = 'handoff_intake'",
            (database.name,),
        )

    answers = [await harness.file(form(), key="second") for _ in range(10)]

    assert HTTPStatus.CREATED in [answer.status_code for answer in answers]
    assert harness.count()["cases"] == 2
