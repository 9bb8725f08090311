"""Ends the child processes of a supervisor that was killed.

Every supervisor starts this file as a script, with the standard library only, and writes a line `PID SIGNAL` to its
standard input for each process that it starts. The end of that input tells the reaper that the supervisor has ended.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

STOP_TIMEOUT_SECONDS = 10.0


class OrphanReaper:
    """The supervisor's side: starts the reaper, and registers every process with it.

    The reaper inherits the lock of the data folder, so the folder stays locked until all processes have ended.
    """

    def __init__(self, lock: int) -> None:
        """Start the reaper; `lock` is the file descriptor of the lock."""
        reader, self._pipe = os.pipe()
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", str(Path(__file__))],
            stdin=reader,
            pass_fds=(lock,),
            start_new_session=True,
        )
        os.close(reader)

    def register(self, pid: int, stop_signal: signal.Signals) -> None:
        """Have the reaper end this process and its process group if the supervisor ends first."""
        with suppress(BrokenPipeError):
            os.write(self._pipe, f"{pid} {int(stop_signal)}\n".encode())

    def close(self) -> None:
        """End the reaper, after the supervisor has stopped every process."""
        os.close(self._pipe)
        self._process.wait()


def _exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # A process group of another account, such as PostgreSQL's under root, exists.
        return True
    return True


def _send(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _end(groups: dict[int, int]) -> None:
    """Send every process group its stop signal, wait, and kill the groups that are left."""
    for group, stop_signal in groups.items():
        _send(group, stop_signal)
    deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
    while groups and time.monotonic() < deadline:
        time.sleep(0.05)
        groups = {group: number for group, number in groups.items() if _exists(group)}
    for group in groups:
        _send(group, signal.SIGKILL)


def main() -> None:
    """Read the registrations until the supervisor has ended, and end the processes that it left."""
    # A Ctrl-C or a shutdown that reaches the supervisor must not end the reaper before the supervisor has ended.
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups: dict[int, int] = {}
    for line in sys.stdin:
        pid, stop_signal = line.split()
        # Forget ended groups: the system may give their number to a process that is not ours.
        groups = {group: number for group, number in groups.items() if _exists(group)}
        groups[int(pid)] = int(stop_signal)
    _end(groups)


if __name__ == "__main__":
    main()
