"""`handoff import` over real HTTP: running it again imports no row twice."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import typer
from typer.testing import CliRunner

from deploy.cli.imports import import_command

DATA = Path(__file__).parents[2] / "data"


class FakeIntake(BaseHTTPRequestHandler):
    """Remembers the ids of imported records, as intake does."""

    seen: ClassVar[set[str]] = set()

    def do_POST(self) -> None:
        if self.headers["Authorization"] != "Bearer right":
            self.send_error(401)
            return
        records = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["records"]
        results = []
        for record in records:
            known = record["external_id"] in self.seen
            self.seen.add(record["external_id"])
            outcome = "duplicate" if known else "created"
            results.append({"external_id": record["external_id"], "outcome": outcome, "reason": None, "remarks": []})
        body = json.dumps({"results": results}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def intake() -> Iterator[str]:
    FakeIntake.seen = set()
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeIntake)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def run(intake: str, *arguments: str, key: str = "right") -> tuple[int, str]:
    app = typer.Typer()
    app.command()(import_command)
    result = CliRunner().invoke(app, [*arguments, "--intake", intake, "--api-key", key])
    return result.exit_code, result.output


def test_readable_rows_are_imported_and_the_others_are_reported(intake: str, tmp_path: Path) -> None:
    report = tmp_path / "report.jsonl"
    code, said = run(intake, "nyc-311", str(DATA / "nyc-311.csv"), "--report", str(report))
    assert code == 0
    assert FakeIntake.seen == {"900001", "900002", "900003", "900007"}
    assert "line 7  unreadable: created_date is not a time" in said
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert {line["line"]: line["outcome"] for line in lines if line["reason"]} == dict.fromkeys((6, 7, 8), "unreadable")


def test_a_file_that_is_imported_twice_adds_nothing(intake: str) -> None:
    run(intake, "chicago-open311", str(DATA / "chicago-open311.json"))
    before = set(FakeIntake.seen)
    code, said = run(intake, "chicago-open311", str(DATA / "chicago-open311.json"))
    assert (code, FakeIntake.seen) == (0, before)
    assert [line.split()[-2] for line in said.splitlines() if "Imported before" in line] == ["3"]


def test_a_wrong_key_is_an_error_and_nothing_is_imported(intake: str) -> None:
    code, said = run(intake, "nyc-311", str(DATA / "nyc-311.csv"), key="wrong")
    assert (code, FakeIntake.seen) == (1, set())
    assert "401" in said


def test_a_rate_is_kept(intake: str) -> None:
    began = time.monotonic()
    run(intake, "chicago-open311", str(DATA / "chicago-open311.json"), "--rate", "10")
    assert 0.25 < time.monotonic() - began < 5


def test_without_a_platform_the_command_says_what_to_do(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(import_command)
    result = CliRunner().invoke(app, ["nyc-311", str(DATA / "nyc-311.csv"), "--data-dir", str(tmp_path)])
    assert result.exit_code == 1
    assert "handoff up" in result.output
