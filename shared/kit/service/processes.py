"""Helpers: further processes of a service that answer requests, for what one interpreter cannot do in the time.

The first process is the whole service: it consumes, relays and answers. It forks its helpers before anything runs; each
listens on the same port, and the system deals the connections out. A helper tells the first process of what it has
committed, so that the relay looks at once; the first tells its helpers what keeps it from working, so that each of them
answers for the whole service. When one of them ends, all of them do, and whoever runs the service starts it anew.
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

TELL_SECONDS = 1.0
"""How often the first process tells its helpers how it is."""

TOLD_AGAIN_SECONDS = 0.01
"""How soon after a commit the first process is told of the next: a relay rests for longer than that."""

GONE_WITHIN_SECONDS = 8.0
"""How long a helper may take to end, once the first process has."""

COMMITTED = b"."


@dataclass(slots=True)
class WorkerProcess:
    """Where a process stands among those of its service: the first has a link to each helper, a helper to the first."""

    is_helper: bool = False
    links: Sequence[socket.socket] = ()
    pids: Sequence[int] = ()
    problems: list[str] = field(default_factory=lambda: ["the first process has not said how it is"])

    async def problem(self) -> str | None:
        """Say, in a helper, what keeps the first process from working."""
        return "; ".join(self.problems) or None

    @asynccontextmanager
    async def kept(self, database: Database, checks: Sequence[Check]) -> AsyncIterator[None]:
        """Keep in touch with the others for the length of a block; end with the first that ends."""
        work = (
            [_help(self, database.commit_event())]
            if self.is_helper
            else [_lead(link, database, checks) for link in self.links]
        )
        tasks = [asyncio.create_task(each) for each in work]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def dismiss(self) -> None:
        """Let the helpers go, after the first process has stopped; one that does not go is killed."""
        for link in self.links:
            link.close()
        until = time.monotonic() + GONE_WITHIN_SECONDS
        for pid in self.pids:
            while not _has_ended(pid):
                if time.monotonic() > until:
                    os.kill(pid, signal.SIGKILL)
                time.sleep(0.02)


def fork_workers(count: int) -> WorkerProcess:
    """Fork so many helpers, and return the place of whichever process this is. No thread may run yet, and no loop."""
    links: list[socket.socket] = []
    pids: list[int] = []
    for _ in range(count):
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            for link in (*links, ours):
                link.close()
            return WorkerProcess(is_helper=True, links=(theirs,))
        theirs.close()
        links.append(ours)
        pids.append(pid)
    return WorkerProcess(links=tuple(links), pids=tuple(pids))


def listen(host: str, port: int, *, shared: bool) -> socket.socket:
    """Listen at an address; where it is shared, other processes of this service may listen there, too.

    Raises:
        OSError: somebody else listens there.
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


async def _help(place: WorkerProcess, committed: asyncio.Event) -> None:
    """Tell the first process of each commit, and hear how it is."""
    [link] = place.links
    reader, writer = await asyncio.open_connection(sock=link)
    await _until_one_ends("the first process", writer, _hear_problems(reader, place), _tell_commits(writer, committed))


async def _lead(link: socket.socket, database: Database, checks: Sequence[Check]) -> None:
    """Hear of a helper's commits, and tell it how the service is."""
    reader, writer = await asyncio.open_connection(sock=link)
    await _until_one_ends("a helper", writer, _hear_commits(reader, database), _tell_problems(writer, checks))


async def _hear_problems(reader: asyncio.StreamReader, place: WorkerProcess) -> None:
    while line := await reader.readline():
        place.problems = json.loads(line)


async def _hear_commits(reader: asyncio.StreamReader, database: Database) -> None:
    while await reader.read(1024):
        database.committed.set()


async def _tell_problems(writer: asyncio.StreamWriter, checks: Sequence[Check]) -> None:
    while True:
        writer.write(json.dumps(await list_problems(checks)).encode() + b"\n")
        await asyncio.sleep(TELL_SECONDS)


async def _tell_commits(writer: asyncio.StreamWriter, committed: asyncio.Event) -> None:
    while True:
        await committed.wait()
        committed.clear()
        writer.write(COMMITTED)
        await asyncio.sleep(TOLD_AGAIN_SECONDS)


async def _until_one_ends(other: str, writer: asyncio.StreamWriter, *talk: Coroutine[None, None, None]) -> None:
    """Talk with another process; when that ends, however it does, so does this one, as if it had been asked to."""
    tasks = [asyncio.create_task(each) for each in talk]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        log.warning("%s has ended: so does this one", other, exc_info=next(iter(ended)).exception())
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        for task in tasks:
            task.cancel()
        writer.close()


def _has_ended(pid: int) -> bool:
    with suppress(ChildProcessError):
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    return True
