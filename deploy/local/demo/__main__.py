"""`python -m deploy.local.demo`: runs a city on this machine, files cases, and compares the counts of all services.

Exit code 0: the counts agree; 1: they do not, or the demonstration failed.
"""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from deploy.cli.import_client import IntakeError
from deploy.cli.imports import ImportSource
from deploy.cli.platform_views import prepare_kafka
from deploy.errors import PlatformError
from deploy.local import background
from deploy.local.demo.demonstration import DemoOptions, demonstrate
from deploy.local.demo.screen import show_pages, show_summary
from deploy.local.settings import DataFolder, default_data_dir
from deploy.local.state import NotRunningError, PlatformState, read_state
from shared.kit.kafka.access import KafkaAccessError

STOPPED_BY_HAND = 130
SPEED_VARIABLE = "HANDOFF_AGENCY_SPEED"
DEMO_SPEED = "172800"
"""The sample agencies do the work of two days in a second."""


def main() -> int:
    """Run the demonstration, and return its exit code."""
    options, data_dir = _read_arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console()
    console.print("Starting a city on this machine ...")
    try:
        with running_platform(data_dir) as (state, speed):
            result = demonstrate(state, options, console)
            show_summary(console, result.progress, result.checks, speed)
            show_pages(console, {component.name: component.url for component in state.components if component.url})
            keys = state.master_key_file.with_name("keys.json")
            console.print(f"The password for the pages of staff is the staff_key in {keys}.", soft_wrap=True)
            if sys.stdout.isatty():
                console.print("The city keeps running. Ctrl-C ends it.")
                _wait_for_ctrl_c()
    except KeyboardInterrupt:
        console.print("Stopped.")
        return STOPPED_BY_HAND
    except (PlatformError, IntakeError, KafkaAccessError, OSError) as error:
        console.print(str(error), style="red", markup=False)
        return 1
    return 0 if all(check.holds for check in result.checks) else 1


def _read_arguments() -> tuple[DemoOptions, Path]:
    parser = argparse.ArgumentParser(prog="python -m deploy.local.demo", description=__doc__)
    parser.add_argument("--cases", type=int, default=500, help="how many invented cases to file (default: 500)")
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        help="seed of the invented cases; the same seed gives the same cases (default: 1)",
    )
    parser.add_argument("--file", type=Path, help="import this 311 file instead of invented cases")
    parser.add_argument(
        "--format", default=ImportSource.NYC_311, help=f"the kind of the file: {', '.join(ImportSource)}"
    )
    parser.add_argument("--data-dir", type=Path, default=default_data_dir(), help="data folder of the platform")
    given = parser.parse_args()
    if given.format not in set(ImportSource):
        parser.error(f"--format is one of {', '.join(ImportSource)}")
    return DemoOptions(given.cases, given.seed, given.file, ImportSource(given.format)), given.data_dir


@contextmanager
def running_platform(data_dir: Path) -> Iterator[tuple[PlatformState, float | None]]:
    """Provide the platform that runs on this data folder, else start one that ends with the block.

    The second value is the speed of the sample agencies; None for a platform that was running already.

    Raises:
        PlatformError: the platform cannot be started.
    """
    state = _find_running(data_dir)
    if state is not None:
        yield state, None
        return
    if not os.environ.get("HANDOFF_KAFKA_BOOTSTRAP"):
        prepare_kafka()
    speed = os.environ.setdefault(SPEED_VARIABLE, DEMO_SPEED)
    folder = DataFolder(data_dir.resolve())
    state = background.start(folder, tied=True)
    try:
        yield state, float(speed)
    finally:
        background.stop(folder)


def _find_running(data_dir: Path) -> PlatformState | None:
    try:
        state = read_state(data_dir)
    except NotRunningError:
        return None
    return state if state.phase == "ready" else None


def _wait_for_ctrl_c() -> None:
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    sys.exit(main())
