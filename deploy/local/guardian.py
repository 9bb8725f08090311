"""Ends what a supervisor leaves behind when it is killed: `guardian.py`, started by every supervisor.

It hears on its standard input of each process that is started (`PID SIGNAL`), and of the supervisor's end by the end of
that input. Run as a script by the Python that runs Handoff, with the standard library only.
"""

import os
import signal
import sys
import time
from contextlib import suppress

PATIENCE_SECONDS = 10.0


def _exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _send(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _end(groups: dict[int, int]) -> None:
    """Ask every group to stop, wait, then kill those that are left."""
    for group, stop_signal in groups.items():
        _send(group, stop_signal)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while groups and time.monotonic() < deadline:
        time.sleep(0.05)
        groups = {group: number for group, number in groups.items() if _exists(group)}
    for group in groups:
        _send(group, signal.SIGKILL)


def main() -> None:
    """Listen until the supervisor has ended, then end what it left."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups: dict[int, int] = {}
    for line in sys.stdin:
        pid, stop_signal = line.split()
        groups = {group: number for group, number in groups.items() if _exists(group)}
        groups[int(pid)] = int(stop_signal)
    _end(groups)


if __name__ == "__main__":
    main()
