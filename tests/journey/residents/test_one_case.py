"""One case from the resident's report to the city's figures, through every process."""

import re
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.city import RunningCity
from tests.eventually import eventually
from tests.kafka_contents import read_all, topic_names

REPORT: dict[str, str | list[str]] = {
    "service_code": "heat-hot-water",
    "lat": "40.8296",
    "long": "-73.9137",
    "address_string": "118 Alder Street",
    "description": "No heat since Tuesday.",
    "attribute[scope]": "apartment",
    "attribute[missing][]": ["heat"],
    "first_name": "Rosa",
    "email": "rosa.quill@example.org",
}


@pytest.fixture(scope="module")
def filed(city: RunningCity) -> dict[str, Any]:
    """File one report, and wait until it is closed."""
    answer = city.file(str(uuid4()), **REPORT)
    assert answer.status_code == 201, answer.text
    [made] = answer.json()

    def closed() -> dict[str, Any] | None:
        url = f"{city.state.url('intake')}/open311/v2/requests/{made['service_request_id']}.json"
        [request] = httpx.get(url, timeout=30).json()
        return request if request["status"] == "closed" else None

    return {**made, **eventually(closed)}


def test_the_case_is_closed_by_the_agency_that_the_book_names(filed: dict[str, Any]) -> None:
    assert "Housing" in filed["agency_responsible"]


def test_the_resident_is_told_and_no_person_is_told_twice(city: RunningCity, filed: dict[str, Any]) -> None:
    def subjects() -> list[str] | None:
        mails = httpx.get(f"{city.state.url('mailbox')}/messages.json", timeout=30).json()["messages"]
        mine = [mail["subject"] for mail in mails if filed["service_request_id"] in mail["subject"]]
        return mine if len(mine) >= 3 else None

    found = eventually(subjects)
    assert len(found) == len(set(found))


def test_the_command_shows_what_happened_in_order(city: RunningCity, filed: dict[str, Any]) -> None:
    def told() -> str | None:
        shown = city.command("case", "show", filed["service_request_id"])
        return shown.stdout if "case.resolved" in shown.stdout else None

    words = eventually(told)
    steps = ["case.submitted", "referral.requested", "referral.accepted", "referral.completed", "case.resolved"]
    places = [words.index(step) for step in steps]
    assert places == sorted(places)


async def test_one_trace_runs_through_every_hop_and_is_in_the_agencys_headers(
    city: RunningCity, filed: dict[str, Any]
) -> None:
    def tree() -> str | None:
        shown = city.command("case", "trace", filed["service_request_id"])
        return shown.stdout if "mail send" in shown.stdout and "referral.completed" in shown.stdout else None

    words = eventually(tree)
    for hop in (
        "POST /open311/v2/requests",
        "intake.cases.v1 send",
        "routing process case.submitted",
        "agency.hpd.inbox.v1 send",
        "routing-updates process referral.accepted",
        "routing.referrals.v1 send",
        "mail send",
    ):
        assert hop in words, f"{hop} is not in\n{words}"
    [trace_id] = set(re.findall(r"\b[0-9a-f]{32}\b", words))
    records = await read_all(city.state.kafka, await topic_names(city.state.kafka))
    numbers = dict(city.rows("SELECT service_request_id, case_id::text FROM intake.cases"))
    mine = [record for record in records if record.key == numbers[filed["service_request_id"]].encode()]
    assert {record.topic for record in mine} >= {
        "intake.cases.v1", "routing.referrals.v1", "agency.hpd.inbox.v1", "agency.hpd.updates.v1",
        "notifications.deliveries.v1",
    }  # fmt: skip
    for record in mine:
        assert dict(record.headers)["traceparent"].decode().split("-")[1] == trace_id, record.topic


def test_the_citys_figures_count_the_case_once(city: RunningCity, filed: dict[str, Any]) -> None:
    assert filed["status"] == "closed"
    account = city.reconciled(1)
    assert account["balanced"]
    assert account["duplicates"] == 0
    assert account["accepted"] == account["routed"] + account["triage"]
