"""Starts a platform in a process of its own, waits until it is ready, and stops it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from deploy.errors import NotReadyError, PlatformError
from deploy.local.processes.child_process import ProcessSpec, last_lines, start_process, stop_process
from deploy.local.settings import DataFolder
from deploy.local.state import NotRunningError, PlatformState, is_locked, read_state

START_WITHIN_SECONDS = 180.0
STOP_WITHIN_SECONDS = 60.0
_POLL_SECONDS = 0.1

# Supervisors that this process has started. Python warns about a Popen object that is deleted while its process runs,
# and a child that ends stays a zombie until its parent waits for it.
_supervisors: dict[Path, subprocess.Popen[bytes]] = {}


def start(folder: DataFolder, *, tied: bool = False) -> PlatformState:
    """Start a platform with the settings of the environment, and return its state once it is ready.

    With `tied` the platform ends with this process, even if this process is killed; otherwise it outlives it.

    Raises:
        PlatformError: the platform did not become ready; the text has the end of its log.
    """
    folder.make()
    log = folder.log("supervisor")
    log.unlink(missing_ok=True)
    spec = ProcessSpec("supervisor", (sys.executable, "-m", "deploy.local.supervisor", str(folder.path)))
    _reap(folder)
    process = start_process(spec, log) if tied else _start_untied(spec, folder)
    _supervisors[folder.path] = process
    try:
        return _wait_until_ready(process, folder)
    except BaseException:
        stop_process(process, spec, STOP_WITHIN_SECONDS)
        raise


def _start_untied(spec: ProcessSpec, folder: DataFolder) -> subprocess.Popen[bytes]:
    """Start the supervisor without the launcher, which would tie its life to ours."""
    with folder.log(spec.name).open("ab") as output:
        return subprocess.Popen(  # noqa: S603
            spec.command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _wait_until_ready(process: subprocess.Popen[bytes], folder: DataFolder) -> PlatformState:
    deadline = time.monotonic() + START_WITHIN_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise PlatformError(last_lines(folder.log("supervisor")))
        try:
            state = read_state(folder.path)
        except NotRunningError:
            state = None
        # The state file may still be the one of an earlier platform that was killed.
        if state is not None and (state.pid, state.phase) == (process.pid, "ready"):
            return state
        time.sleep(_POLL_SECONDS)
    log = folder.log("supervisor")
    raise NotReadyError(f"The platform is not ready after {START_WITHIN_SECONDS:.0f} s. Its log: {log}")


def stop(folder: DataFolder) -> bool:
    """Stop the platform of this folder, and return when all its processes have ended; False if none ran.

    Raises:
        PlatformError: it did not stop in time.
    """
    try:
        return _stop(folder)
    finally:
        _reap(folder)


def _reap(folder: DataFolder) -> None:
    """Wait for the supervisor that this process started on the folder, if it has ended."""
    if folder.path in _supervisors and not is_locked(folder.lock):
        _supervisors.pop(folder.path).wait(STOP_WITHIN_SECONDS)


def _stop(folder: DataFolder) -> bool:
    if not is_locked(folder.lock):
        return False
    state = _read_state_with_retry(folder)
    if state is not None:
        _send(state.pid, signal.SIGTERM)
    if _is_free_within(folder, STOP_WITHIN_SECONDS):
        return True
    if state is not None:
        # The orphan reaper ends the other processes.
        _send(state.pid, signal.SIGKILL)
    if not _is_free_within(folder, STOP_WITHIN_SECONDS):
        raise PlatformError(f"The platform on {folder.path} did not stop.")
    return True


def _read_state_with_retry(folder: DataFolder) -> PlatformState | None:
    """Read the state; None if the platform is already stopping, or its orphan reaper ends its processes."""
    deadline = time.monotonic() + 2.0
    while is_locked(folder.lock) and time.monotonic() < deadline:
        try:
            return read_state(folder.path)
        except NotRunningError:
            time.sleep(_POLL_SECONDS)
    return None


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _is_free_within(folder: DataFolder, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while is_locked(folder.lock):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
