"""`python -m deploy.local.demo`: runs a city on this machine, files cases through it, and counts them at both ends.

The exit code is 0 when everything that was filed is accounted for, and 1 when it is not.
"""

import argparse
import signal
import sys
import threading
from pathlib import Path

from rich.console import Console

from deploy.cli.import_client import IntakeError
from deploy.cli.imports import Source
from deploy.local.demo.platform import running_platform
from deploy.local.demo.run import Asked, demonstrate
from deploy.local.demo.screen import show_pages, show_summary
from deploy.local.problems import LocalPlatformError
from deploy.local.settings import default_data_dir
from shared.kit.kafka.access import KafkaAccessError

STOPPED_BY_HAND = 130


def main() -> int:
    """Run the demonstration, and return the exit code."""
    asked, data_dir = _read_arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console()
    console.print("Starting a city on this machine ...")
    try:
        with running_platform(data_dir) as (state, speed):
            outcome = demonstrate(state, asked, console)
            show_summary(console, outcome.moment, outcome.checks, speed)
            show_pages(console, {part.name: part.url for part in state.parts if part.url})
            keys = state.master_key_file.with_name("keys.json")
            console.print(f"Where staff is asked for a password, it is the staff_key in {keys}.", soft_wrap=True)
            if sys.stdout.isatty():
                console.print("Everything keeps running. Ctrl-C ends it.")
                _wait_for_ctrl_c()
    except KeyboardInterrupt:
        console.print("Stopped.")
        return STOPPED_BY_HAND
    except (LocalPlatformError, IntakeError, KafkaAccessError, OSError) as error:
        console.print(str(error), style="red", markup=False)
        return 1
    return 0 if all(check.holds for check in outcome.checks) else 1


def _read_arguments() -> tuple[Asked, Path]:
    parser = argparse.ArgumentParser(prog="python -m deploy.local.demo", description=__doc__)
    parser.add_argument("--cases", type=int, default=500, help="how many cases to make up and file")
    parser.add_argument("--seed", type=int, default=1, help="another seed makes up other cases")
    parser.add_argument("--file", type=Path, help="take in a real 311 file instead")
    parser.add_argument("--format", default=Source.NYC_311, help=f"which kind of file it is: {', '.join(Source)}")
    parser.add_argument("--data-dir", type=Path, default=default_data_dir(), help="where the platform keeps its data")
    given = parser.parse_args()
    if given.format not in set(Source):
        parser.error(f"--format is one of {', '.join(Source)}")
    return Asked(given.cases, given.seed, given.file, Source(given.format)), given.data_dir


def _wait_for_ctrl_c() -> None:
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    sys.exit(main())
