"""Spans are stored once, found by case and trace, and deleted in time."""

import asyncio
import gzip
from datetime import timedelta

import pytest

from services.metrics.http.api.spans import MOST_BYTES
from services.metrics.use_cases.spans import prune_spans
from tests.eventually import PATIENCE_SECONDS
from tests.service.metrics.harness import MetricsHarness
from tests.unit.metrics.case_events import CaseEvents
from tests.unit.metrics.test_spans import request, sent

pytestmark = pytest.mark.servers
PROTOBUF = {"content-type": "application/x-protobuf"}
COUNTED = "SELECT n_live_tup FROM pg_stat_user_tables WHERE relname = 'spans'"
OURS, SHARED = 1, 9


def body(*spans: object, service: str = "intake") -> bytes:
    return bytes(request(*spans, service=service).SerializeToString())  # type: ignore[arg-type]


async def test_spans_are_stored_once_however_often_they_are_sent(harness: MetricsHarness) -> None:
    for _ in range(3):
        answer = await harness.staff.post("/v1/traces", content=body(sent(1), sent(2, 1)), headers=PROTOBUF)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/x-protobuf"
    answer = (await harness.staff.get(f"/traces/{1:032x}")).json()["spans"]
    assert [(span["name"], span["parent_id"]) for span in answer] == [("span 1", None), ("span 2", f"{1:016x}")]


async def test_gzipped_spans_are_read(harness: MetricsHarness) -> None:
    packed = gzip.compress(body(sent(1)))
    headers = PROTOBUF | {"content-encoding": "gzip"}
    assert (await harness.staff.post("/v1/traces", content=packed, headers=headers)).status_code == 200
    assert len((await harness.staff.get(f"/traces/{1:032x}")).json()["spans"]) == 1


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{}", {"content-type": "application/json"}, 415),
        (b"\xff\xff", PROTOBUF, 400),
        (b"not gzip", PROTOBUF | {"content-encoding": "gzip"}, 400),
        (gzip.compress(bytes(32 * 1024 * 1024)), PROTOBUF | {"content-encoding": "gzip"}, 400),
        (bytes(MOST_BYTES + 1), PROTOBUF, 400),
    ],
)
async def test_an_invalid_body_of_spans_is_refused(
    empty: MetricsHarness, content: bytes, headers: dict[str, str], status: int
) -> None:
    assert (await empty.staff.post("/v1/traces", content=content, headers=headers)).status_code == status
    assert empty.query("SELECT count(*) AS n FROM spans") == [{"n": 0}]


async def test_spans_are_accepted_only_with_the_staff_key(empty: MetricsHarness) -> None:
    assert (await empty.public.post("/v1/traces", content=body(sent(1)), headers=PROTOBUF)).status_code == 401


async def test_a_cases_traces_are_those_of_its_messages_and_those_that_name_it(harness: MetricsHarness) -> None:
    case = CaseEvents(1, traceparent=f"00-{OURS:032x}-{1:016x}-01").file()
    await harness.consume(case)
    for content in (body(sent(1), sent(2, 1)), body(sent(7, trace=5), service="routing"), body(sent(3, trace=2))):
        await harness.staff.post("/v1/traces", content=content, headers=PROTOBUF)
    answer = (await harness.staff.get(f"/cases/{case.service_request_id}/traces")).json()
    assert answer["traces"] == [{"trace_id": f"{OURS:032x}", "sampled": True}]
    assert {span["trace_id"] for span in answer["spans"]} == {f"{trace:032x}" for trace in (OURS, 5, 2)}
    assert answer["linked"] == []


async def test_a_trace_that_many_cases_share_shows_each_only_its_own_steps(harness: MetricsHarness) -> None:
    mine = CaseEvents(1, traceparent=f"00-{SHARED:032x}-{1:016x}-01").file()
    theirs = CaseEvents(2, traceparent=f"00-{SHARED:032x}-{1:016x}-01").file()
    await harness.consume(mine, theirs)
    shared, step, other = sent(1, trace=SHARED), sent(2, 1, trace=SHARED), sent(3, 1, trace=SHARED)
    del shared.attributes[:]
    other.attributes[0].value.string_value = str(theirs.case_id)
    await harness.staff.post("/v1/traces", content=body(shared, step, other), headers=PROTOBUF)
    answer = (await harness.staff.get(f"/cases/{mine.case_id}/traces")).json()
    assert [span["name"] for span in answer["spans"]] == ["span 1", "span 2"]


async def test_a_span_elsewhere_that_a_step_is_linked_to_is_named(harness: MetricsHarness) -> None:
    case = CaseEvents(1, traceparent=f"00-{OURS:032x}-{1:016x}-01").file()
    await harness.consume(case)
    batch = sent(3, trace=2)
    del batch.attributes[:]
    await harness.staff.post("/v1/traces", content=body(sent(1), batch), headers=PROTOBUF)
    answer = (await harness.staff.get(f"/cases/{case.case_id}/traces")).json()
    assert [span["name"] for span in answer["linked"]] == ["span 3"]


async def test_old_spans_are_deleted_and_young_ones_stay(harness: MetricsHarness) -> None:
    await harness.staff.post("/v1/traces", content=body(sent(1)), headers=PROTOBUF)
    await asyncio.sleep(0.05)
    await prune_spans(harness.service.database, timedelta(days=1), 1000)
    assert harness.query("SELECT count(*) AS n FROM spans") == [{"n": 1}]
    await prune_spans(harness.service.database, timedelta(seconds=0.01), 1000)
    assert harness.query("SELECT count(*) AS n FROM spans") == [{"n": 0}]


async def test_of_too_many_spans_the_oldest_are_deleted(harness: MetricsHarness) -> None:
    for number in range(1, 7):
        await harness.staff.post("/v1/traces", content=body(sent(number)), headers=PROTOBUF)
    async with harness.service.database.transaction() as tx:
        await tx.execute("SELECT pg_stat_force_next_flush()")  # a connection that idles tells after ten seconds
    async with asyncio.timeout(PATIENCE_SECONDS):
        while harness.query(COUNTED)[0]["n_live_tup"] < 6:
            await asyncio.sleep(0.1)
    await prune_spans(harness.service.database, timedelta(days=1), 4)
    kept = harness.query("SELECT name FROM spans ORDER BY name")
    assert [row["name"] for row in kept] == ["span 3", "span 4", "span 5", "span 6"]
