"""Worker processes: they answer HTTP requests beside the main process, for services that need more than one core.

The main process is the whole service: it consumes, relays and answers. It forks its workers before anything runs. All
processes listen on the same port (SO_REUSEPORT), and the kernel distributes connections. A worker reports its commits
to the main process, so that the relay publishes them at once; the main process reports its health problems to its
workers, so that each of them answers `/health/ready` for the whole service. When one process ends, all of them do, and
the supervisor that started the service restarts it.
"""

import asyncio
import json
import logging
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from shared.kit.database.database import Database
from shared.kit.http.health import Check, list_problems

log = logging.getLogger(__name__)

HEALTH_SECONDS = 1.0
"""How often the main process sends its problems to its workers."""

COMMIT_MESSAGE_SECONDS = 0.01
"""A worker sends one message for all commits within this time. It is shorter than the relay's shortest delay."""

STOP_SECONDS = 8.0
"""How long a worker may take to end after the main process has."""

COMMITTED = b"."


@dataclass(slots=True)
class WorkerProcess:
    """What this process is to the others: the main process has a link to each worker, a worker has one to the main."""

    is_worker: bool = False
    links: Sequence[socket.socket] = ()
    pids: Sequence[int] = ()
    problems: list[str] = field(default_factory=lambda: ["the main process has not reported its health yet"])

    async def problem(self) -> str | None:
        """Return, in a worker, what is wrong with the main process; None if nothing is."""
        return "; ".join(self.problems) or None

    @asynccontextmanager
    async def supervised(self, database: Database, checks: Sequence[Check]) -> AsyncIterator[None]:
        """Exchange commits and problems with the other processes during a block; end when one of them ends."""
        work = (
            [_serve_main(self, database.commit_event())]
            if self.is_worker
            else [_supervise(link, database, checks) for link in self.links]
        )
        tasks = [asyncio.create_task(each) for each in work]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def stop_workers(self) -> None:
        """End the workers, after the main process has stopped serving; one that does not end in time is killed."""
        for link in self.links:
            link.close()
        until = time.monotonic() + STOP_SECONDS
        for pid in self.pids:
            while not _has_ended(pid):
                if time.monotonic() > until:
                    os.kill(pid, signal.SIGKILL)
                time.sleep(0.02)


def fork_workers(count: int) -> WorkerProcess:
    """Fork worker processes; return in each process what it is. No thread and no event loop may run yet."""
    links: list[socket.socket] = []
    pids: list[int] = []
    for _ in range(count):
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            # A worker inherits the main process's ends of all links. It must close them: otherwise the links stay open
            # when the main process dies, and no worker notices.
            for link in (*links, ours):
                link.close()
            return WorkerProcess(is_worker=True, links=(theirs,))
        theirs.close()
        links.append(ours)
        pids.append(pid)
    return WorkerProcess(links=tuple(links), pids=tuple(pids))


def listen(host: str, port: int, *, shared: bool) -> socket.socket:
    """Return a socket bound to an address; with `shared`, other processes of this user may bind to it, too.

    Raises:
        OSError: the address is in use.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    return listening


async def _serve_main(process: WorkerProcess, committed: asyncio.Event) -> None:
    """In a worker: report commits to the main process, and receive its problems."""
    [link] = process.links
    reader, writer = await asyncio.open_connection(sock=link)
    await _until_one_ends(
        "main process", writer, _receive_problems(reader, process), _report_commits(writer, committed)
    )


async def _supervise(link: socket.socket, database: Database, checks: Sequence[Check]) -> None:
    """In the main process: receive a worker's commits, and report problems to it."""
    reader, writer = await asyncio.open_connection(sock=link)
    await _until_one_ends(
        "worker process", writer, _receive_commits(reader, database), _report_problems(writer, checks)
    )


async def _receive_problems(reader: asyncio.StreamReader, process: WorkerProcess) -> None:
    while line := await reader.readline():
        process.problems = json.loads(line)


async def _receive_commits(reader: asyncio.StreamReader, database: Database) -> None:
    while await reader.read(1024):
        database.committed.set()


async def _report_problems(writer: asyncio.StreamWriter, checks: Sequence[Check]) -> None:
    while True:
        writer.write(json.dumps(await list_problems(checks)).encode() + b"\n")
        await asyncio.sleep(HEALTH_SECONDS)


async def _report_commits(writer: asyncio.StreamWriter, committed: asyncio.Event) -> None:
    while True:
        await committed.wait()
        committed.clear()
        writer.write(COMMITTED)
        await asyncio.sleep(COMMIT_MESSAGE_SECONDS)


async def _until_one_ends(other: str, writer: asyncio.StreamWriter, *talk: Coroutine[None, None, None]) -> None:
    """Talk with another process; when that ends in any way, stop this process as SIGTERM does."""
    tasks = [asyncio.create_task(each) for each in talk]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        log.warning("%s has ended: stopping", other, exc_info=next(iter(ended)).exception())
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        for task in tasks:
            task.cancel()
        writer.close()


def _has_ended(pid: int) -> bool:
    with suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    return True
