"""`python -m deploy.local.agencies`: all sample agencies in one process, each with its own Kafka clients and memory."""

import asyncio
import logging
import os
import signal
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from deploy.local.agencies.account import connection_of
from deploy.local.agencies.client import SampleAgency, work
from deploy.local.agencies.files import Files
from deploy.local.agencies.keys import read_keys
from deploy.local.agencies.memory import Memory
from deploy.local.agencies.plan import read_tempo
from deploy.local.agencies.reading import Reader

SAMPLE_CITY = Path(__file__).parents[2] / "jurisdictions" / "sample-city"
DEFAULT_SPEED = 14_400.0
"""Four hours of an agency's work in a second."""


def read_agencies(file: Path, speed: float) -> Iterator[SampleAgency]:
    """Read the agencies that work in the demonstration: those with a tempo."""
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    for entry in document["agency"]:
        if "sample" in entry:
            yield SampleAgency(entry["id"], read_tempo(entry["sample"]), speed)


async def work_together(agencies: list[SampleAgency], environment: Mapping[str, str], folder: Path) -> None:
    """Let all agencies work until SIGTERM or Ctrl-C."""
    stopping = asyncio.current_task()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.cancel if stopping else lambda: None)
    with ExitStack() as memories:
        async with asyncio.TaskGroup() as group:
            for agency in agencies:
                memory = memories.enter_context(closing(Memory(folder / f"{agency.id}.sqlite")))
                files = memories.enter_context(closing(Files(folder / f"{agency.id}-files.sqlite")))
                reader = Reader(agency.id, files, read_keys(agency.id, environment))
                group.create_task(work(agency, connection_of(agency.id, environment), memory, reader))


def main() -> None:
    """Read the settings and start."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for library in ("aiokafka", "httpx"):
        logging.getLogger(library).setLevel(logging.ERROR)
    folder = Path(os.environ.get("HANDOFF_DATA_DIR", ".handoff")) / "agencies"
    jurisdiction = Path(os.environ.get("HANDOFF_JURISDICTION", str(SAMPLE_CITY)))
    speed = float(os.environ.get("HANDOFF_AGENCY_SPEED", DEFAULT_SPEED))
    agencies = list(read_agencies(jurisdiction / "agencies.toml", speed))
    with suppress(asyncio.CancelledError):
        asyncio.run(work_together(agencies, os.environ, folder))


if __name__ == "__main__":
    main()
