"""One part as a running process, which is started again when it ends."""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from deploy.local import processes
from deploy.local.parts import Part
from deploy.local.state import PartState

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
# A process that ran for this long was all right: its next failure is a new story.
_SOUND_SECONDS = 60.0


class Child:
    """Keeps one part running; `started` hears the process of every start."""

    def __init__(self, part: Part, log: Path, started: Callable[[subprocess.Popen[bytes], Part], None]) -> None:
        self.part = part
        self.log = log
        self.restarts = 0
        self._started = started
        self._process: subprocess.Popen[bytes] | None = None
        self._pause = _FIRST_PAUSE_SECONDS
        self._changed_at = 0.0

    @property
    def state(self) -> PartState:
        """What others may know of it."""
        pid = self._process.pid if self._process else None
        return PartState(name=self.part.name, pid=pid, url=self.part.url, log=self.log, restarts=self.restarts)

    @property
    def runs(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process. Call it from the main thread: the child's life is tied to the thread that starts it."""
        self._process = processes.start(self.part.program, self.log)
        self._changed_at = time.monotonic()
        self._started(self._process, self.part)

    def check(self) -> str | None:
        """Start the process again if it has ended and its pause is over; say what is new, if anything is."""
        now = time.monotonic()
        if self._process is None:
            return self._restart() if now >= self._changed_at + self._pause else None
        code = self._process.poll()
        if code is None:
            return None
        sound = now - self._changed_at > _SOUND_SECONDS
        self._pause = _FIRST_PAUSE_SECONDS if sound else min(self._pause * 2, _LONGEST_PAUSE_SECONDS)
        self._process, self._changed_at = None, now
        return f"{self.part.name} ended {_how(code)}; it is started again in {self._pause:.0f} s. Its log: {self.log}"

    def _restart(self) -> str:
        self.restarts += 1
        self.start()
        return f"{self.part.name} is started again."

    def stop(self) -> None:
        """Stop the process for good; returns when it has ended."""
        if self._process is not None:
            processes.stop(self._process, self.part.program)

    def kill(self) -> None:
        """End the process at once."""
        if self._process is not None:
            processes.kill(self._process)


def _how(code: int) -> str:
    return f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
