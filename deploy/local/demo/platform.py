"""The platform that the demonstration runs on: the one that runs already, or one of its own that ends with it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local import processes
from deploy.local.problems import LocalPlatformError
from deploy.local.processes import Program
from deploy.local.state import NotRunningError, PlatformState, read_state

SPEED = "HANDOFF_AGENCY_SPEED"
DEMO_SPEED = "86400"
"""The sample agencies do a day's work in a second."""

STOP_WITHIN = 45.0
LOOK_EVERY = 0.2


@contextmanager
def running_platform(data_dir: Path) -> Iterator[tuple[PlatformState, float | None]]:
    """Give the platform on this data folder, and how fast its sample agencies work where we know it.

    Raises:
        LocalPlatformError: it cannot be started; what it said is on the screen.
    """
    state = _find(data_dir)
    if state is not None:
        yield state, None
        return
    speed = os.environ.get(SPEED, DEMO_SPEED)
    command = (sys.executable, "-m", "deploy.cli.main", "up", "--data-dir", str(data_dir))
    program = Program("platform", command, {SPEED: speed})
    # In a session of its own: a Ctrl-C reaches us, and we stop the platform in order.
    process = subprocess.Popen(  # noqa: S603
        program.launched(), env={**os.environ, **program.environment}, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield _wait_until_ready(process, data_dir), float(speed)
    finally:
        processes.stop(process, program, STOP_WITHIN)


def _wait_until_ready(process: "subprocess.Popen[bytes]", data_dir: Path) -> PlatformState:
    while process.poll() is None:
        state = _find(data_dir)
        if state is not None:
            return state
        time.sleep(LOOK_EVERY)
    raise LocalPlatformError("The platform did not start.")


def _find(data_dir: Path) -> PlatformState | None:
    try:
        state = read_state(data_dir)
    except NotRunningError:
        return None
    return state if state.phase == "ready" else None
