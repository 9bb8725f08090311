"""Worker processes: they answer beside the main process and for it, and no process outlives the others."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import httpx
import pytest

from deploy.local.ports import any_free
from shared.kit.database.database import Database
from shared.kit.service.processes import WorkerProcess, listen
from tests.eventually import PATIENCE_SECONDS, eventually


@pytest.fixture
def port() -> int:
    """Choose a port."""
    [free] = any_free(1)
    return free


@pytest.fixture
def service(kit_url: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a service with one worker; its Kafka is away."""
    told = {
        "HANDOFF_DATABASE_URL": kit_url,
        "HANDOFF_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "HANDOFF_HTTP_PORT": str(port),
        "HANDOFF_STAFF_KEY": "staff",
    }
    words = (sys.executable, "-m", "tests.integration.kit.with_workers")
    with subprocess.Popen(words, env={**os.environ, **told}, start_new_session=True) as first:  # noqa: S603
        try:
            yield first
        finally:
            with suppress(ProcessLookupError):
                os.killpg(first.pid, signal.SIGKILL)


def answering(service: subprocess.Popen[bytes], port: int) -> dict[bool, int]:
    """Ask until the main process (False) and its worker (True) have both answered; returns their process ids."""
    found: dict[bool, int] = {}

    def have_both() -> bool:
        assert service.poll() is None, "the service has ended"
        answer = httpx.get(f"http://127.0.0.1:{port}/who").json()
        found[answer["is_worker"]] = answer["pid"]
        return len(found) == 2

    assert eventually(have_both)
    return found


def has_ended(pid: int) -> bool:
    """Tell whether there is no process with this id any more."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_both_processes_answer_and_neither_is_ready_while_the_main_process_cannot_work(
    service: subprocess.Popen[bytes], port: int
) -> None:
    pids = answering(service, port)
    assert pids[False] == service.pid != pids[True]
    unreported, ready = "has not reported", f"http://127.0.0.1:{port}/health/ready"

    def answers() -> list[str]:
        found = [httpx.get(ready).text for _ in range(20)]
        return [] if unreported in "".join(found) else found

    assert all("relay: " in answer for answer in eventually(answers))


def test_a_service_that_is_told_to_stop_leaves_no_worker(service: subprocess.Popen[bytes], port: int) -> None:
    pids = answering(service, port)
    service.send_signal(signal.SIGTERM)
    service.wait(PATIENCE_SECONDS)
    assert eventually(lambda: has_ended(pids[True]))


@pytest.mark.parametrize("victim_is_worker", [True, False])
def test_when_one_process_is_killed_the_other_ends_and_the_port_is_free(
    service: subprocess.Popen[bytes], port: int, *, victim_is_worker: bool
) -> None:
    pids = answering(service, port)
    os.kill(pids[victim_is_worker], signal.SIGKILL)
    service.wait(PATIENCE_SECONDS)
    assert eventually(lambda: has_ended(pids[True]))
    listen("127.0.0.1", port, shared=False).close()


def test_no_other_process_can_listen_where_a_service_shares_its_port_with_its_workers(
    service: subprocess.Popen[bytes], port: int
) -> None:
    answering(service, port)
    with pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", port, shared=False)


async def test_a_workers_commit_reaches_the_main_process_whose_problems_reach_the_worker(kit_url: str) -> None:
    ours, theirs = socket.socketpair()
    main, worker = WorkerProcess(links=(ours,)), WorkerProcess(is_worker=True, links=(theirs,))
    here, there = Database(kit_url, "kit"), Database(kit_url, "kit")

    async def away() -> str | None:
        return "relay: Kafka is away"

    async def well() -> str | None:
        return None

    assert await worker.problem() == "the main process has not reported its health yet"
    async with main.supervised(here, [away, well]), worker.supervised(there, []):
        there.notify_commit()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await here.committed.wait()
            while await worker.problem() != "relay: Kafka is away":
                await asyncio.sleep(0.01)


@pytest.fixture
async def asked_to_end() -> AsyncIterator[asyncio.Event]:
    """Note that this process was asked to end, which a service would do."""
    loop, asked = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, asked.set)
    yield asked
    loop.remove_signal_handler(signal.SIGTERM)


async def test_a_worker_that_dies_before_it_has_read_everything_takes_the_main_process_with_it(
    kit_url: str, asked_to_end: asyncio.Event
) -> None:
    ours, theirs = socket.socketpair()

    async def well() -> str | None:
        return None

    async with WorkerProcess(links=(ours,)).supervised(Database(kit_url, "kit"), [well]):
        assert await asyncio.to_thread(theirs.recv, 1, socket.MSG_PEEK)
        theirs.close()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asked_to_end.wait()


async def test_a_main_process_that_cannot_report_its_health_stops(kit_url: str, asked_to_end: asyncio.Event) -> None:
    ours, theirs = socket.socketpair()

    async def broken() -> str | None:
        raise RuntimeError

    async with (
        WorkerProcess(links=(ours,)).supervised(Database(kit_url, "kit"), [broken]),
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        await asked_to_end.wait()
    theirs.close()
