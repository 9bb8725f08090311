"""A platform in a process of its own: started, waited for, and stopped from here."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from deploy.local import lock, processes
from deploy.local.folders import DataFolder
from deploy.local.problems import LocalPlatformError, NotReadyError
from deploy.local.processes import Program
from deploy.local.readiness import last_lines
from deploy.local.state import NotRunningError, PlatformState, read_state

START_WITHIN_SECONDS = 180.0
STOP_WITHIN_SECONDS = 60.0
_LOOK_EVERY_SECONDS = 0.1

# Children that outlive the call that made them; kept, so that they are reaped and not warned about.
_supervisors: dict[Path, subprocess.Popen[bytes]] = {}


def start(folder: DataFolder, *, tied: bool = False) -> PlatformState:
    """Start a platform with the settings of the environment, and return when it is ready.

    A tied one ends with this process, whatever becomes of it; one that is not outlives it.

    Raises:
        LocalPlatformError: it did not become ready; the text has the end of what it said.
    """
    folder.make()
    log = folder.log("supervisor")
    log.unlink(missing_ok=True)
    program = Program("supervisor", (sys.executable, "-m", "deploy.local.run", str(folder.path)))
    _reap(folder)
    process = processes.start(program, log) if tied else _start_free(program, folder)
    _supervisors[folder.path] = process
    try:
        return _wait_until_ready(process, folder)
    except BaseException:
        processes.stop(process, program, STOP_WITHIN_SECONDS)
        raise


def _start_free(program: Program, folder: DataFolder) -> subprocess.Popen[bytes]:
    with folder.log(program.name).open("ab") as output:
        return subprocess.Popen(  # noqa: S603
            program.command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _wait_until_ready(process: subprocess.Popen[bytes], folder: DataFolder) -> PlatformState:
    deadline = time.monotonic() + START_WITHIN_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise LocalPlatformError(last_lines(folder.log("supervisor")))
        try:
            state = read_state(folder.path)
        except NotRunningError:
            state = None
        if state is not None and (state.pid, state.phase) == (process.pid, "ready"):
            return state
        time.sleep(_LOOK_EVERY_SECONDS)
    raise NotReadyError(f"The platform is not ready after {START_WITHIN_SECONDS:.0f} s. {folder.log('supervisor')}")


def stop(folder: DataFolder) -> bool:
    """Stop the platform of this folder, and return when no process of it is left; false if none ran.

    Raises:
        LocalPlatformError: it did not stop in time.
    """
    try:
        return _stop(folder)
    finally:
        _reap(folder)


def _reap(folder: DataFolder) -> None:
    """Take note of the end of the last platform that was started from here, which others may have stopped."""
    if folder.path in _supervisors and not lock.is_held(folder.lock):
        _supervisors.pop(folder.path).wait(STOP_WITHIN_SECONDS)


def _stop(folder: DataFolder) -> bool:
    if not lock.is_held(folder.lock):
        return False
    state = _read_patiently(folder)
    if state is not None:
        _send(state.pid, signal.SIGTERM)
    if _is_free_within(folder, STOP_WITHIN_SECONDS):
        return True
    if state is not None:
        # Its guardian ends the rest.
        _send(state.pid, signal.SIGKILL)
    if not _is_free_within(folder, STOP_WITHIN_SECONDS):
        raise LocalPlatformError(f"The platform on {folder.path} did not stop.")
    return True


def _read_patiently(folder: DataFolder) -> PlatformState | None:
    """The state; none if it is stopping already, or a guardian clears up after it."""
    deadline = time.monotonic() + 2.0
    while lock.is_held(folder.lock) and time.monotonic() < deadline:
        try:
            return read_state(folder.path)
        except NotRunningError:
            time.sleep(_LOOK_EVERY_SECONDS)
    return None


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _is_free_within(folder: DataFolder, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while lock.is_held(folder.lock):
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_EVERY_SECONDS)
    return True
