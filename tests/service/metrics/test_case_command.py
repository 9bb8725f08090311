"""`handoff case` prints the events and traces of a case, or why it cannot."""

import asyncio
import json

import pytest
from starlette.applications import Starlette
from typer.testing import CliRunner, Result

from deploy.cli.cases import case_app
from shared.events.reasons import Reason
from tests.http_server import served
from tests.service.metrics.harness import STAFF_KEY, MetricsHarness
from tests.unit.metrics.case_events import CaseEvents
from tests.unit.metrics.test_spans import request, sent

pytestmark = pytest.mark.servers
NOISE, POLICE = "noise", "nypd"


async def run(harness: MetricsHarness, *arguments: str, key: str = STAFF_KEY) -> Result:
    async with served(Starlette(routes=list(harness.service.http))) as url:
        environment = {"HANDOFF_METRICS_URL": url, "HANDOFF_STAFF_KEY": key, "COLUMNS": "200"}
        return await asyncio.to_thread(CliRunner().invoke, case_app, list(arguments), env=environment)


def sample_case() -> CaseEvents:
    case = CaseEvents(1, traceparent=f"00-{1:032x}-{1:016x}-01").file((NOISE,)).route({NOISE: POLICE}).wait(minutes=5)
    return case.answer(NOISE, POLICE).hold(NOISE, POLICE, Reason.NO_ACCESS).notify()


async def test_show_prints_in_order_what_happened(harness: MetricsHarness) -> None:
    case = sample_case()
    await harness.consume(case)
    result = await run(harness, "show", case.service_request_id)
    assert result.exit_code == 0
    lines = [line for line in result.stdout.splitlines() if "2026-03-02" in line]
    happened = ["case.submitted", "case.routed", "referral.requested", "referral.held", "referral.held", "notification"]
    assert [what in line for what, line in zip(happened, lines, strict=True)] == [True] * 6
    assert "5 min 00 s" in lines[3]
    assert "nypd/first" in lines[2]


async def test_show_prints_json_for_other_programs(harness: MetricsHarness) -> None:
    case = sample_case()
    await harness.consume(case)
    result = await run(harness, "show", str(case.case_id), "--json")
    assert json.loads(result.stdout)["service_request_id"] == case.service_request_id


async def test_an_unknown_case_is_an_error(empty: MetricsHarness) -> None:
    result = await run(empty, "show", "26-99999999")
    assert result.exit_code == 1
    assert "Unknown case" in result.stderr


async def test_a_wrong_key_is_an_error(empty: MetricsHarness) -> None:
    result = await run(empty, "show", "26-99999999", key="guessed")
    assert result.exit_code == 1
    assert "operators' key" in result.stderr


async def test_trace_prints_a_tree_with_times(harness: MetricsHarness) -> None:
    case = sample_case()
    await harness.consume(case)
    first, second, other = sent(1, start=10**18), sent(2, 1, start=10**18 + 5_000_000), sent(3, trace=2)
    del other.attributes[:]
    content = request(first, second, other).SerializeToString()
    await harness.staff.post("/v1/traces", content=content, headers={"content-type": "application/x-protobuf"})
    result = await run(harness, "trace", str(case.case_id))
    assert result.exit_code == 0
    assert "+5.0 ms" in result.stdout
    assert "└─ span 2" in result.stdout
    assert "linked to span 3 (trace 00000000…)" in result.stdout


async def test_trace_says_when_a_trace_is_not_there_and_when_it_was_not_sampled(harness: MetricsHarness) -> None:
    case = sample_case()
    case.traceparent = f"00-{4:032x}-{1:016x}-00"
    await harness.consume(case.notify())
    result = await run(harness, "trace", str(case.case_id))
    assert f"Trace {1:032x} was sampled, and no step of it is here" in result.stdout
    assert f"Trace {4:032x} was not sampled" in result.stdout
