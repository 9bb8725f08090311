"""`python -m deploy.local.agencies`: all sample agencies in one process, each with its own Kafka clients and stores.

HANDOFF_KAFKA_BOOTSTRAP   the broker
HANDOFF_AGENCY_ACCOUNTS   folder with each agency's account at Kafka, <agency>.properties
HANDOFF_AGENCY_FILES      folder with each agency's keys, <agency>.json
HANDOFF_PARTNER_API       base URL of the partner API
HANDOFF_AGENCY_SPEED      how many times faster than in reality the agencies work
HANDOFF_DATA_DIR          folder of the agencies' SQLite files
HANDOFF_JURISDICTION      the city's folder
"""

import asyncio
import logging
import os
import signal
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from deploy.local.agencies.client import SampleAgency, run_agency
from deploy.local.agencies.credentials import connection_of, read_keys
from deploy.local.agencies.disclosures import DisclosureReader, DisclosureStore
from deploy.local.agencies.referral_store import ReferralStore
from deploy.local.agencies.response_plan import read_profile

SAMPLE_CITY = Path(__file__).parents[2] / "jurisdictions" / "sample-city"
DEFAULT_SPEED = 14_400.0
"""An agency does the work of four hours in a second."""


def read_agencies(file: Path, speed: float) -> Iterator[SampleAgency]:
    """Read the sample agencies: those whose entry in `agencies.toml` has a table `sample`."""
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    for entry in document["agency"]:
        if "sample" in entry:
            yield SampleAgency(entry["id"], read_profile(entry["sample"]), speed)


async def run_agencies(agencies: list[SampleAgency], environment: Mapping[str, str], folder: Path) -> None:
    """Run all agencies until SIGTERM or Ctrl-C."""
    this_task = asyncio.current_task()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, this_task.cancel if this_task else lambda: None)
    with ExitStack() as stores:
        async with asyncio.TaskGroup() as group:
            for agency in agencies:
                referrals = stores.enter_context(closing(ReferralStore(folder / f"{agency.id}.sqlite")))
                disclosures = stores.enter_context(closing(DisclosureStore(folder / f"{agency.id}-files.sqlite")))
                reader = DisclosureReader(agency.id, disclosures, read_keys(agency.id, environment))
                group.create_task(run_agency(agency, connection_of(agency.id, environment), referrals, reader))


def main() -> None:
    """Run the agencies with the settings of the environment."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for library in ("aiokafka", "httpx"):
        logging.getLogger(library).setLevel(logging.ERROR)
    folder = Path(os.environ.get("HANDOFF_DATA_DIR", ".handoff")) / "agencies"
    jurisdiction = Path(os.environ.get("HANDOFF_JURISDICTION", str(SAMPLE_CITY)))
    speed = float(os.environ.get("HANDOFF_AGENCY_SPEED", DEFAULT_SPEED))
    agencies = list(read_agencies(jurisdiction / "agencies.toml", speed))
    with suppress(asyncio.CancelledError):
        asyncio.run(run_agencies(agencies, os.environ, folder))


if __name__ == "__main__":
    main()
