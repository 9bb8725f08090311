"""A whole platform, as `handoff up` runs it."""

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaProducer

from deploy.kafka.topic_declarations import agencies_of
from deploy.local import background
from deploy.local.agencies.credentials import read_account
from deploy.local.servers.temporary import temporary_folder
from deploy.local.settings import DataFolder
from deploy.local.state import NotRunningError, PlatformState, is_locked, read_state
from deploy.postgres.services import SERVICES
from deploy.readiness import check_health
from shared.events.topics import AGENCY_UPDATES
from tests.eventually import eventually

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.timeout(300)]


def handoff(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy.cli.main", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603


def processes_of(state: PlatformState) -> list[psutil.Process]:
    supervisor = psutil.Process(state.pid)
    return [supervisor, *supervisor.children(recursive=True)]


def password_in(url: str) -> str:
    return url.split(":")[2].split("@", maxsplit=1)[0]


def secrets_of(state: PlatformState) -> set[str]:
    """Every password and key of the platform: of the database, of Kafka, of agencies, of people."""
    folder = DataFolder(state.data_dir)
    keys = json.loads((folder.run / "keys.json").read_text(encoding="utf-8"))
    by_service = [*keys["passwords"].values(), *keys["kafka_passwords"].values()]
    handed_out = [read_account(file)["sasl_plain_password"] for file in folder.accounts.glob("*.properties")]
    rest = (keys["admin_password"], keys["kafka_admin_password"], keys["api_key"], keys["staff_key"])
    return {*by_service, *handed_out, *rest, password_in(state.database_url)}


def all_gone(processes: list[psutil.Process]) -> bool:
    return all(not each.is_running() or each.status() == psutil.STATUS_ZOMBIE for each in processes)


@pytest.fixture(scope="module")
def folder() -> Iterator[DataFolder]:
    with temporary_folder() as path:
        folder = DataFolder(path / "data")
        yield folder
        background.stop(folder)


@pytest.fixture(scope="module", autouse=True)
def any_ports() -> Iterator[None]:
    """Leave the usual ports free for a platform that a developer runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDOFF_PORTS", "any")
        yield


@pytest.fixture
def state(folder: DataFolder) -> PlatformState:
    """The platform of this folder, started by the first test that asks for it."""
    try:
        return read_state(folder.path)
    except NotRunningError:
        return background.start(folder, tied=True)


def test_every_component_is_ready_and_has_an_address(state: PlatformState) -> None:
    done = handoff("status", "--json", "--data-dir", str(state.data_dir))
    found = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout
    expected = {"kafka", "postgres", "intake", "routing", "notifications", "metrics", "mailbox", "agencies"}
    assert {part["name"] for part in found["parts"]} == expected
    assert all(part["address"] for part in found["parts"] if part["name"] != "agencies")


def test_no_key_or_password_is_shown(state: PlatformState) -> None:
    shown = handoff("status", "--data-dir", str(state.data_dir)).stdout
    shown += handoff("status", "--json", "--data-dir", str(state.data_dir)).stdout + repr(state)
    assert not [secret for secret in secrets_of(state) if secret in shown]


def test_only_the_owner_reads_the_state_and_the_keys(state: PlatformState) -> None:
    folder = DataFolder(state.data_dir)
    files = (folder.state, folder.master_key, folder.run / "keys.json")
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600, 0o600, 0o600]
    accounts = list(folder.accounts.iterdir())
    assert {file.stem for file in accounts} == set(agencies_of(state.jurisdiction))
    private = (*accounts, folder.kafka / "server.properties")
    assert {stat.S_IMODE(file.stat().st_mode) for file in private} == {0o600}


def test_no_process_shows_a_password_to_other_users(state: PlatformState) -> None:
    lines = " ".join(" ".join(process.cmdline()) for process in processes_of(state))
    assert not [secret for secret in secrets_of(state) if secret in lines]


def test_no_log_has_a_password_in_it(state: PlatformState) -> None:
    logs = Path(state.data_dir, "logs").iterdir()
    said = "".join(log.read_text(encoding="utf-8", errors="replace") for log in logs)
    assert not [secret for secret in secrets_of(state) if secret in said]


def test_each_service_has_an_account_of_its_own_at_kafka_and_knows_no_other(state: PlatformState) -> None:
    for service in SERVICES:
        told = psutil.Process(state.component(service).pid).environ()
        assert told["HANDOFF_KAFKA_USER"] == service
        mine = {told["HANDOFF_KAFKA_PASSWORD"], told["HANDOFF_STAFF_KEY"], told.get("HANDOFF_API_KEY", "")}
        others = secrets_of(state) - mine - {password_in(told["HANDOFF_DATABASE_URL"])}
        assert not [secret for secret in others if secret in str(told)]


def test_kafka_allows_what_is_declared_and_nothing_else(state: PlatformState) -> None:
    done = handoff("kafka", "acls", "--check", "--data-dir", str(state.data_dir))
    assert (done.returncode, done.stdout) == (0, "The rules are as declared.\n")


async def say_nonsense(state: PlatformState) -> None:
    """Write a message that is no CloudEvent to an agency's topic."""
    producer = AIOKafkaProducer(**state.kafka.client())
    await producer.start()
    try:
        await producer.send_and_wait(AGENCY_UPDATES.topic.format(agency="hpd"), b"nonsense", b"key")
    finally:
        await producer.stop()


def test_what_is_set_aside_is_seen_listed_and_dismissed(state: PlatformState) -> None:
    here = ("--data-dir", str(state.data_dir))
    assert handoff("dead-letters", "list", *here).stdout == "Nothing is set aside.\n"
    asyncio.run(say_nonsense(state))
    assert eventually(lambda: "dead letters: 1" in handoff("status", *here).stdout)
    assert "ce_specversion is missing" in handoff("dead-letters", "list", *here).stdout
    again = handoff("dead-letters", "redeliver", "routing", "--all", *here)
    assert (again.returncode, again.stdout) == (1, "")
    for service in ("routing", "metrics"):
        assert handoff("dead-letters", "dismiss", service, "1", *here).returncode == 0
    assert handoff("dead-letters", "list", *here).stdout == "Nothing is set aside.\n"


def test_nothing_listens_beyond_this_machine(state: PlatformState) -> None:
    connections = [each for process in processes_of(state) for each in process.net_connections("inet")]
    listening = {each.laddr.ip for each in connections if each.status == psutil.CONN_LISTEN}
    assert listening <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


def test_a_second_start_says_who_runs_there(state: PlatformState) -> None:
    done = handoff("up", "--data-dir", str(state.data_dir))
    assert done.returncode == 1
    assert f"process {state.pid}" in done.stdout.replace("\n", " ")
    assert state.url("intake") in done.stdout


@pytest.mark.parametrize("name", ["mailbox", "intake", "postgres", "kafka"])
def test_a_killed_component_is_restarted(state: PlatformState, name: str) -> None:
    before = read_state(state.data_dir).component(name).pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    assert eventually(lambda: read_state(state.data_dir).component(name).pid not in {before, None})
    assert eventually(lambda: handoff("status", "--data-dir", str(state.data_dir)).returncode == 0)


def test_down_leaves_no_process(state: PlatformState) -> None:
    processes = processes_of(state)
    done = handoff("down", "--data-dir", str(state.data_dir))
    assert done.returncode == 0
    assert all_gone(processes)
    assert handoff("status", "--data-dir", str(state.data_dir)).returncode == 3


def test_another_start_finds_the_same_keys_and_data(folder: DataFolder) -> None:
    keys = (folder.run / "keys.json").read_text(encoding="utf-8")
    state = background.start(folder, tied=True)
    assert (folder.run / "keys.json").read_text(encoding="utf-8") == keys
    assert check_health(state.url("intake")).ready


def test_a_killed_supervisor_leaves_no_process(state: PlatformState) -> None:
    processes = processes_of(state)
    os.kill(state.pid, signal.SIGKILL)
    assert eventually(lambda: all_gone(processes))
    assert eventually(lambda: not is_locked(Path(state.data_dir, "run", "lock")))
