"""The compose file as a newcomer uses it: everything becomes healthy, one case goes all the way, nothing stays behind.

It builds the image and takes minutes, so it runs only when HANDOFF_TEST_COMPOSE is set and a Docker engine answers.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import TopicAuthorizationFailedError

from deploy.kafka.acls import ADMIN
from deploy.kafka.preparation import compare_rules
from deploy.kafka.topic_declarations import agencies_of, declared_topics
from deploy.local.agencies.credentials import read_account
from deploy.local.ports import any_free
from deploy.postgres.services import SERVICES
from shared.kit.kafka.access import KafkaAccess
from shared.kit.service.settings import SAMPLE_CITY
from tests.eventually import eventually
from tests.kafka_contents import read_all, topic_names

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / ".env.example"
JOBS = ("migrations", "certificates", "topics")
PUBLISHED = (*SERVICES, "mailbox", "kafka")
FILER = {"Authorization": "Bearer trial-api-key"}
REPORT = {
    "service_code": "apartment-repair",
    "lat": "40.7306",
    "long": "-73.9866",
    "description": "The window does not close.",
    "email": "resident@example.org",
}


def _asked_for() -> str | None:
    """Return why this machine cannot run the city; None if it can."""
    if not os.environ.get("HANDOFF_TEST_COMPOSE"):
        return "set HANDOFF_TEST_COMPOSE=1 to run everything in containers"
    if shutil.which("docker") is None or _docker(["info"]).returncode:
        return "no Docker engine answers"
    return None


def _docker(arguments: Sequence[str], **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        ["docker", *arguments],  # noqa: S607
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@dataclass(frozen=True)
class ComposeCity:
    """A city in containers, with its own project name and ports."""

    project: str
    ports: dict[str, int]

    def compose(self, *arguments: str) -> str:
        """Run `docker compose` on this city, and return its output."""
        ran = self.run(arguments)
        problem = f"docker compose {' '.join(arguments)}:\n{ran.stderr[-2000:]}"
        assert ran.returncode == 0, f"{problem}\n{self.run(['logs', '--tail=15', *SERVICES, *JOBS]).stdout}"
        return ran.stdout

    def run(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run `docker compose` on this city, whatever comes of it."""
        ports = {f"HANDOFF_PORT_{name.upper()}": str(port) for name, port in self.ports.items()}
        options = ("--env-file", str(EXAMPLE), "--project-name", self.project)
        return _docker(["compose", *options, *arguments], **ports)

    def url(self, service: str) -> str:
        """Where a service answers on this machine."""
        return f"http://127.0.0.1:{self.ports[service]}"


@pytest.fixture(scope="module")
def city() -> Iterator[ComposeCity]:
    """Start a city, and remove it with its volumes."""
    if reason := _asked_for():
        pytest.skip(reason)
    city = ComposeCity(f"handoff-{uuid4().hex[:8]}", dict(zip(PUBLISHED, any_free(len(PUBLISHED)), strict=True)))
    try:
        city.compose("up", "--wait", "--quiet-pull")
        yield city
    finally:
        city.compose("down", "--volumes", "--timeout", "10")


def test_every_service_says_that_it_is_ready(city: ComposeCity) -> None:
    answers = {service: httpx.get(f"{city.url(service)}/health/ready") for service in SERVICES}
    assert {service: answer.status_code for service, answer in answers.items()} == dict.fromkeys(SERVICES, 200)


def test_one_case_is_routed_answered_and_told_by_mail(city: ComposeCity) -> None:
    number = _file(city)
    assert [note["type"] for note in _history(city, number, 3)][:2] == ["opened", "follow_on_created"]
    mails = eventually(lambda: httpx.get(f"{city.url('mailbox')}/messages.json").json()["messages"])
    assert {mail["to"] for mail in mails} == {"resident@example.org"}


async def test_a_program_on_this_machine_reads_the_topics_and_only_declared_ones_are_there(
    city: ComposeCity, tmp_path: Path
) -> None:
    kafka = _as_administrator(city, tmp_path)
    names = await topic_names(kafka)
    assert names == sorted(topic.name for topic in declared_topics(agencies_of(SAMPLE_CITY)))
    assert await read_all(kafka, ["intake.cases.v1"])


def test_the_rules_of_the_broker_are_as_declared(city: ComposeCity, tmp_path: Path) -> None:
    topics = declared_topics(agencies_of(SAMPLE_CITY))
    assert not compare_rules(_as_administrator(city, tmp_path), topics)


async def test_a_partner_with_the_file_that_it_was_handed_reads_its_own_inbox_and_no_other(
    city: ComposeCity, tmp_path: Path
) -> None:
    city.compose("cp", "agencies:/etc/handoff/accounts/.", str(tmp_path))
    agency, other = agencies_of(SAMPLE_CITY)[:2]
    account = read_account(tmp_path / f"{agency}.properties")
    assert account["bootstrap_servers"] == f"localhost:{city.ports['kafka']}"
    group = {"group_id": f"agency.{agency}.trial"}
    async with AIOKafkaConsumer(f"agency.{agency}.inbox.v1", **account, **group) as consumer:
        assert await consumer.getmany(timeout_ms=500) == {}
    stranger = AIOKafkaConsumer(f"agency.{other}.inbox.v1", **account, **group)
    with pytest.raises(TopicAuthorizationFailedError):
        await _start_and_read(stranger)
    await stranger.stop()


def test_our_processes_run_without_rights_on_files_that_they_cannot_change(city: ComposeCity) -> None:
    script = "id -u; touch made 2>/dev/null && echo can-write; grep CapEff /proc/1/status"
    for service in (*SERVICES, "mailbox", "agencies"):
        said = city.compose("exec", "-T", service, "sh", "-c", script).split()
        assert said == ["10001", "CapEff:", "0000000000000000"], service


def test_up_again_runs_the_jobs_again_and_keeps_every_case(city: ComposeCity) -> None:
    number = _file(city)
    city.compose("up", "--wait")
    assert _history(city, number, 1)


def test_a_service_that_is_killed_is_started_again(city: ComposeCity) -> None:
    city.run(["exec", "-T", "routing", "sh", "-c", "kill -9 -1"])
    assert _history(city, _file(city), 2)


@pytest.mark.skipif(shutil.which("docker") is None, reason="docker is not installed")
def test_without_settings_the_missing_one_is_named() -> None:
    if _docker(["compose", "version"]).returncode:
        pytest.skip("docker has no compose")
    assert _docker(["compose", "--env-file", str(EXAMPLE), "config", "--quiet"]).returncode == 0
    refused = _docker(["compose", "--env-file", os.devnull, "config", "--quiet"])
    assert refused.returncode != 0
    assert "copy .env.example to .env" in refused.stderr


def _as_administrator(city: ComposeCity, folder: Path) -> KafkaAccess:
    """Return Kafka's address on this machine, with the administrator's account of .env.example."""
    authority = folder / "ca.pem"
    authority.write_text(city.compose("exec", "-T", "intake", "cat", "/etc/handoff/trust/ca.pem"))
    return KafkaAccess(f"localhost:{city.ports['kafka']}", ADMIN, "trial-kafka-admin", authority)


async def _start_and_read(consumer: AIOKafkaConsumer) -> None:
    await consumer.start()
    await consumer.getmany(timeout_ms=5000)


def _file(city: ComposeCity) -> str:
    filed = httpx.post(f"{city.url('intake')}/open311/v2/requests.json", headers=FILER, data=REPORT)
    assert filed.status_code == 201, filed.text
    return str(filed.json()[0]["service_request_id"])


def _history(city: ComposeCity, number: str, least: int) -> list[dict[str, Any]]:
    """Return the events of a case, once there are at least that many."""
    url = f"{city.url('intake')}/open311/v2/requests/{number}.json"

    def look() -> list[dict[str, Any]] | None:
        notes: list[dict[str, Any]] = httpx.get(url, params={"extensions": "true"}).json()[0]["notes"]
        return notes if len(notes) >= least else None

    return eventually(look, 90)
