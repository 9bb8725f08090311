"""A person is erased: what was planted in their cases cannot be read anywhere any more, and no figure has changed."""

import asyncio
import subprocess
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.servers.postgres import programs_folder
from shared.events.topics import AGENCY_UPDATES, CASES, DELIVERIES, REFERRALS
from tests.city import RunningCity
from tests.eventually import eventually
from tests.kafka_contents import Record, read_all, topic_names

pytestmark = [pytest.mark.servers, pytest.mark.timeout(400)]

HEARD = (CASES, REFERRALS, DELIVERIES, AGENCY_UPDATES)
"""What metrics listens to."""

GOING_ON = """
    SELECT 'a case' FROM intake.cases WHERE status = 'open'
    UNION ALL SELECT 'a referral' FROM routing.referrals
        WHERE state IN ('requested', 'accepted', 'in-progress', 'on-hold')
    UNION ALL SELECT 'a mail' FROM notifications.deliveries WHERE state IN ('waiting', 'queued', 'sending')
    UNION ALL SELECT 'words of intake' FROM intake.outbox
    UNION ALL SELECT 'words of routing' FROM routing.outbox
    UNION ALL SELECT 'words of notifications' FROM notifications.outbox
"""
"""What can still lead to another event."""

UNCOUNTED = "SELECT 'cases' FROM metrics.stale_cases UNION ALL SELECT 'cells' FROM metrics.stale_cells"
"""What metrics has heard and not counted."""

UNREAD = 3
"""What `handoff person erase` exits with while an agency has not read all of its messages."""


def mark() -> str:
    """A word that stands nowhere else, and that nothing takes for a number or a plate."""
    return "zq" + "".join("abcdefghijklmnop"[int(digit, 16)] for digit in uuid4().hex)


def report(word: str) -> dict[str, str | list[str]]:
    """A report with a word in everything personal."""
    return {
        "service_code": "heat-hot-water", "attribute[scope]": "apartment", "attribute[missing][]": ["heat"],
        "lat": "40.8300", "long": "-73.9137", "first_name": word, "last_name": word, "email": f"{word}@example.org",
        "description": f"{word} is cold", "address_string": f"1 {word} Street",
    }  # fmt: skip


def everything_on_kafka(city: RunningCity) -> list[Record]:
    """Read all topics from their beginnings."""

    async def read() -> list[Record]:
        return await read_all(city.state.kafka, await topic_names(city.state.kafka))

    return asyncio.run(read())


def holders(city: RunningCity, word: str) -> list[tuple[str, int, int]]:
    """Return the places of the records that hold a word."""
    return [(r.topic, r.partition, r.offset) for r in everything_on_kafka(city) if word.encode() in raw([r])]


def dump(city: RunningCity) -> bytes:
    """Make a backup of the whole database, as text."""
    program = programs_folder() / "pg_dump"
    made = subprocess.run(  # noqa: S603 - a program of PostgreSQL's own
        [program, "--dbname", city.state.database_url], capture_output=True, check=True, timeout=120
    )
    return made.stdout


def raw(records: list[Record]) -> bytes:
    """Join all that records hold."""
    return b"\n".join((r.key or b"") + (r.value or b"") + b"".join(v for _, v in r.headers) for r in records)


def figures(city: RunningCity) -> Any:
    """What metrics has counted: every row of its figures, and its account."""
    cells = sorted(map(str, city.rows("SELECT t::text FROM metrics.cells AS t")))
    account = city.ask("metrics", "/reconciliation").json()
    return cells, {name: account[name] for name in ("accepted", "routed", "at_triage") if name in account}


def said(city: RunningCity) -> int:
    """Count the events on the topics that metrics reads; one that Kafka has twice is one."""
    heard = [record for record in everything_on_kafka(city) if any(each.source_of(record.topic) for each in HEARD)]
    return len({(record.topic, dict(record.headers)["ce_id"]) for record in heard})


def settled_figures(city: RunningCity) -> Any:
    """Wait until nothing is going on and metrics has counted everything that was said; return the figures."""

    def look() -> Any:
        if city.rows(GOING_ON) or city.rows("SELECT count(*) FROM metrics.journey_entries") != [(said(city),)]:
            return None
        return None if city.rows(UNCOUNTED) else figures(city)

    return eventually(look, 120)


def erase(city: RunningCity, number: str) -> "subprocess.CompletedProcess[str] | None":
    """Erase the person of a case; None while an agency has not read everything."""
    made = city.command("person", "erase", number, "--yes")
    return None if made.returncode == UNREAD else made


def test_an_erased_person_is_in_no_topic_table_log_or_backup_and_figures_stay(city: RunningCity) -> None:
    word, key = mark(), uuid4().hex
    before = city.ask("metrics", "/reconciliation").json()["accepted"]
    form = report(word)
    filed = city.file(key, **form)
    assert filed.status_code == 201
    number = filed.json()[0]["service_request_id"]
    city.reconciled(before + 1)
    inbox = eventually(lambda: [r for r in everything_on_kafka(city) if word.encode() in (r.value or b"")] or None)
    assert {record.topic for record in inbox} == {"agency.hpd.inbox.v1"}
    counted = settled_figures(city)

    done = eventually(lambda: erase(city, number), 120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "hpd" in done.stdout

    eventually(lambda: b"person.erased.v1" in raw(everything_on_kafka(city)) or None)
    assert holders(city, word) == [], done.stdout
    assert word.encode() not in dump(city)
    logs = [file for file in (city.folder / "logs").rglob("*") if file.is_file()]
    assert word.encode() not in b"\n".join(file.read_bytes() for file in logs)
    keys = "SELECT count(*) FROM vault.person_keys JOIN intake.cases USING (person_id)"
    assert city.rows(f"{keys} WHERE service_request_id = '{number}'") == [(0,)]
    city.reconciled(before + 1)
    assert settled_figures(city) == counted

    again = city.file(key, **form)
    assert again.status_code != 201 or again.json()[0]["service_request_id"] == number
    assert holders(city, word) == []
    assert word.encode() not in dump(city)
