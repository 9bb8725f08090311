"""An import reaches intake completely, in spite of outages, oversized chunks and refused records."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO

import httpx
import pytest

from deploy.cli.import_client import IntakeError, RecordResult, RetryPolicy, post_records
from deploy.cli.import_files.rows import RowProblem
from deploy.cli.import_files.values import ParsedRow
from deploy.cli.import_report import ImportTally
from services.intake.domain.import_record import ImportRecord, Remark

Respond = Callable[[httpx.Request], httpx.Response]


def record(external_id: str) -> ImportRecord:
    return ImportRecord(
        external_id=external_id,
        service_code="city-question",
        description="A question",
        requested_at=datetime(2026, 1, 1, tzinfo=UTC),
        status="open",
        source_agency="DCAS",
        channel="phone",
    )


def ids_in(request: httpx.Request) -> list[str]:
    return [r["external_id"] for r in json.loads(request.content)["records"]]


def created(request: httpx.Request) -> httpx.Response:
    results = [answer(external_id) for external_id in ids_in(request)]
    return httpx.Response(200, json={"results": results})


def answer(external_id: str) -> dict[str, object]:
    return {"external_id": external_id, "outcome": "created", "reason": None, "remarks": []}


def post(respond: Respond, records: list[ImportRecord], said: list[str] | None = None) -> list[RecordResult]:
    waits = said if said is not None else []
    with httpx.Client(base_url="http://intake", transport=httpx.MockTransport(respond)) as client:
        return post_records(client, "nyc-311", records, RetryPolicy(waits.append, first_pause=0.001))


def test_every_record_is_answered_in_its_order() -> None:
    assert post(created, [record("1"), record("2")]) == [RecordResult("created"), RecordResult("created")]


def test_an_outage_of_intake_is_reported_and_retried() -> None:
    answers = iter([httpx.Response(503), httpx.ConnectError("gone"), None])

    def respond(request: httpx.Request) -> httpx.Response:
        prepared = next(answers)
        if isinstance(prepared, Exception):
            raise prepared
        return prepared or created(request)

    said: list[str] = []
    assert post(respond, [record("1")], said) == [RecordResult("created")]
    assert [("503" in why, "ConnectError" in why) for why in said] == [(True, False), (False, True)]


def test_of_a_refused_chunk_only_the_invalid_record_is_refused() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(422, text="bad") if "3" in ids_in(request) else created(request)

    answers = post(respond, [record(str(i)) for i in range(5)])
    assert [a.outcome for a in answers] == ["created", "created", "created", "refused", "created"]
    assert answers[3].reason == "422: bad"


def test_a_key_that_intake_does_not_know_stops_the_import() -> None:
    with pytest.raises(IntakeError, match="401"):
        post(lambda _: httpx.Response(401, text="who are you"), [record("1")])


def test_a_record_without_a_result_counts_as_refused() -> None:
    (told,) = post(lambda _: httpx.Response(200, json={"results": []}), [record("1")])
    assert told.outcome == "refused"


def test_the_report_has_a_line_for_each_row_with_a_reason_or_a_remark() -> None:
    report = StringIO()
    tally = ImportTally(report)
    tally.add_problem(RowProblem(7, "unique_key is missing"))
    parsed = [ParsedRow(8, record("8"), (Remark.NO_ADDRESS,)), ParsedRow(9, record("9"), ())]
    tally.add_answers(parsed, [RecordResult("created", remarks=("no address",)), RecordResult("duplicate")])
    assert [json.loads(line) for line in report.getvalue().splitlines()] == [
        {"line": 7, "external_id": "", "outcome": "unreadable", "reason": "unique_key is missing", "remarks": []},
        {"line": 8, "external_id": "8", "outcome": "created", "reason": "", "remarks": ["no address"]},
    ]
    assert (tally.rows, tally.is_complete) == (3, True)
