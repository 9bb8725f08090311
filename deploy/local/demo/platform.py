"""The platform that the demonstration runs on: the one that runs already, or one of its own that ends with it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.cli.platform_screen import prepare_kafka
from deploy.local import background
from deploy.local.folders import DataFolder
from deploy.local.state import NotRunningError, PlatformState, read_state

SPEED = "HANDOFF_AGENCY_SPEED"
DEMO_SPEED = "172800"
"""The sample agencies do two days' work in a second."""


@contextmanager
def running_platform(data_dir: Path) -> Iterator[tuple[PlatformState, float | None]]:
    """Give the platform on this data folder, and how fast its sample agencies work where we know it.

    Raises:
        LocalPlatformError: it cannot be started.
    """
    state = _find(data_dir)
    if state is not None:
        yield state, None
        return
    if not os.environ.get("HANDOFF_KAFKA_BOOTSTRAP"):
        prepare_kafka()
    speed = os.environ.setdefault(SPEED, DEMO_SPEED)
    folder = DataFolder(data_dir.resolve())
    state = background.start(folder, tied=True)
    try:
        yield state, float(speed)
    finally:
        background.stop(folder)


def _find(data_dir: Path) -> PlatformState | None:
    try:
        state = read_state(data_dir)
    except NotRunningError:
        return None
    return state if state.phase == "ready" else None
