"""What a platform is started with."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.folders import DataFolder
from shared.kit.kafka.access import KafkaAccess, access_from

SAMPLE_CITY = Path(__file__).parents[1] / "jurisdictions" / "sample-city"
DEFAULT_DATA_DIR = Path(".handoff")


@dataclass(frozen=True)
class PlatformSettings:
    """Where a platform keeps its data, which city it serves, and which servers of your own it uses."""

    folder: DataFolder
    jurisdiction: Path = SAMPLE_CITY
    kafka: KafkaAccess | None = None
    database_url: str | None = None
    any_ports: bool = False


def settings_from(environment: Mapping[str, str], data_dir: Path) -> PlatformSettings:
    """Read HANDOFF_JURISDICTION, HANDOFF_DATABASE_URL, HANDOFF_PORTS (`any`), HANDOFF_KAFKA_BOOTSTRAP with its account.

    Raises:
        KafkaAccessError: a user without a password.
    """
    return PlatformSettings(
        folder=DataFolder(data_dir.resolve()),
        jurisdiction=Path(environment.get("HANDOFF_JURISDICTION") or SAMPLE_CITY).resolve(),
        kafka=access_from(environment) if environment.get("HANDOFF_KAFKA_BOOTSTRAP") else None,
        database_url=environment.get("HANDOFF_DATABASE_URL") or None,
        any_ports=environment.get("HANDOFF_PORTS") == "any",
    )


def default_data_dir() -> Path:
    """The folder that HANDOFF_DATA_DIR names, else `.handoff` in the working directory."""
    return Path(os.environ.get("HANDOFF_DATA_DIR") or DEFAULT_DATA_DIR)
