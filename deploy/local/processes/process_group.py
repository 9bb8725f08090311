"""The running components of a platform: restarted when they end, awaited until ready, and stopped in order."""

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import NotReadyError
from deploy.local.processes.child_process import (
    ProcessSpec,
    kill_process,
    last_lines,
    start_process,
    stop_process,
)
from deploy.local.processes.orphan_reaper import OrphanReaper
from deploy.local.settings import DataFolder
from deploy.local.state import ComponentState
from deploy.readiness import Health, check_health

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_STABLE_AFTER_SECONDS = 60.0
"""A process that ran for this long was healthy: the pauses before its restarts start again from the first."""

_CHECK_EVERY_SECONDS = 0.1
_ROTATE_LOGS_EVERY = 100
"""After how many checks of the processes the sizes of their logs are checked: every ten seconds."""

_LARGEST_LOG_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True)
class Component:
    """One process that the platform keeps running. If it has a URL, `/health/ready` there says when it is ready."""

    process: ProcessSpec
    url: str | None = None

    @property
    def name(self) -> str:
        """The name of the component, on the screen and in the state file."""
        return self.process.name


class ManagedProcess:
    """Keeps one component running, with growing pauses between its restarts."""

    def __init__(self, component: Component, log: Path, reaper: OrphanReaper) -> None:
        self.component = component
        self.log = log
        self.restarts = 0
        self._reaper = reaper
        self._process: subprocess.Popen[bytes] | None = None
        self._pause = _FIRST_PAUSE_SECONDS
        self._changed_at = 0.0

    @property
    def state(self) -> ComponentState:
        """What the state file says about the component."""
        pid = self._process.pid if self._process else None
        return ComponentState(
            name=self.component.name, pid=pid, url=self.component.url, log=self.log, restarts=self.restarts
        )

    @property
    def is_running(self) -> bool:
        """Whether the process exists."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process, from the main thread (see `start_process`)."""
        spec = self.component.process
        self._process = start_process(spec, self.log)
        self._changed_at = time.monotonic()
        self._reaper.register(self._process.pid, spec.stop_signals[0])

    def check(self) -> str | None:
        """Restart the process if it has ended and its pause is over; return a sentence about a change, else None."""
        now = time.monotonic()
        if self._process is None:
            return self._restart() if now >= self._changed_at + self._pause else None
        code = self._process.poll()
        if code is None:
            return None
        was_stable = now - self._changed_at > _STABLE_AFTER_SECONDS
        self._pause = _FIRST_PAUSE_SECONDS if was_stable else min(self._pause * 2, _LONGEST_PAUSE_SECONDS)
        self._process, self._changed_at = None, now
        return f"{self.component.name} ended {_how(code)}; it restarts in {self._pause:.0f} s. Its log: {self.log}"

    def _restart(self) -> str:
        self.restarts += 1
        self.start()
        return f"{self.component.name} has been restarted."

    def stop(self) -> None:
        """Stop the process; returns when it has ended."""
        if self._process is not None:
            stop_process(self._process, self.component.process)

    def kill(self) -> None:
        """Kill the process."""
        if self._process is not None:
            kill_process(self._process)


class ProcessGroup:
    """The running components of one platform."""

    def __init__(self, folder: DataFolder, reaper: OrphanReaper) -> None:
        self._folder = folder
        self._reaper = reaper
        self._processes: list[ManagedProcess] = []

    def start(self, component: Component) -> None:
        """Start a component, and restart it from now on when it ends."""
        process = ManagedProcess(component, self._folder.log(component.name), self._reaper)
        process.start()
        self._processes.append(process)

    def states(self) -> tuple[ComponentState, ...]:
        """Return what the state file says about each component."""
        return tuple(process.state for process in self._processes)

    async def supervise(self, report: Callable[[str], None]) -> None:
        """Restart what ends, report each change, and bound the logs, until this task is cancelled."""
        checks = 0
        while True:
            for change in filter(None, [process.check() for process in self._processes]):
                report(change)
            if checks % _ROTATE_LOGS_EVERY == 0:
                for process in self._processes:
                    rotate_if_large(process.log)
            checks += 1
            await asyncio.sleep(_CHECK_EVERY_SECONDS)

    async def wait_until_ready(self, seconds: float) -> None:
        """Return once every component is ready.

        Raises:
            NotReadyError: a component is not ready within that many seconds; the text names it.
        """
        deadline = time.monotonic() + seconds
        await asyncio.gather(*(self._wait_for(process, deadline) for process in self._processes))

    async def _wait_for(self, process: ManagedProcess, deadline: float) -> None:
        url = process.component.url
        while True:
            health = await asyncio.to_thread(check_health, url) if url else Health(ready=process.is_running)
            if health.ready:
                return
            if time.monotonic() > deadline:
                raise NotReadyError(_describe_failure(process, health))
            await asyncio.sleep(_CHECK_EVERY_SECONDS)

    async def stop(self, names: Iterable[str]) -> None:
        """Stop the components with these names, all at once.

        End `supervise` before this call, or it would restart them.
        """
        chosen = set(names)
        stopping = [process for process in self._processes if process.component.name in chosen]
        await asyncio.gather(*(asyncio.to_thread(process.stop) for process in stopping))

    def kill(self) -> None:
        """Kill every process."""
        for process in self._processes:
            process.kill()


def rotate_if_large(log: Path, largest_bytes: int = _LARGEST_LOG_BYTES) -> None:
    """Copy a log that is too large to `.1`, and truncate it.

    The process keeps its file open, so it must append. A line that it writes between copy and truncation is lost.
    """
    if log.exists() and log.stat().st_size > largest_bytes:
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)


def _describe_failure(process: ManagedProcess, health: Health) -> str:
    name = process.component.name
    problems = ", ".join(health.problems) or "no reason given"
    return f"{name} is not ready: {problems}. The end of its log ({process.log}):\n{last_lines(process.log)}"


def _how(code: int) -> str:
    return f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
