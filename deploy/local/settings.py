"""Settings of a platform on this machine, and the folders where it keeps its files."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from shared.kit.kafka.access import KafkaAccess, read_kafka_access

SAMPLE_CITY = Path(__file__).parents[1] / "jurisdictions" / "sample-city"
DEFAULT_DATA_DIR = Path(".handoff")


def cache_folder() -> Path:
    """Return the folder for downloads: the one that HANDOFF_CACHE_DIR names, else the user's cache folder."""
    chosen = os.environ.get("HANDOFF_CACHE_DIR")
    return Path(chosen) if chosen else user_cache_path("handoff", appauthor=False)


def kafka_jars_folder() -> Path:
    """Return the folder of Apache Kafka's jars. Jars that a user puts there are used if their digests are right."""
    return cache_folder() / "kafka-4.3.0"


def default_data_dir() -> Path:
    """Return the folder that HANDOFF_DATA_DIR names, else `.handoff` in the working directory."""
    return Path(os.environ.get("HANDOFF_DATA_DIR") or DEFAULT_DATA_DIR)


@dataclass(frozen=True)
class DataFolder:
    """The folder of one platform: databases, logs, keys, and the state of the running processes."""

    path: Path

    @property
    def kafka(self) -> Path:
        """Kafka's data and settings."""
        return self.path / "kafka"

    @property
    def postgres(self) -> Path:
        """PostgreSQL's data. If root runs the platform, an unprivileged account owns this folder."""
        return self.path / "postgres"

    @property
    def accounts(self) -> Path:
        """The files that each agency is given: its account at Kafka and its keys."""
        return self.path / "accounts"

    @property
    def run(self) -> Path:
        """Keys, and the state of the running platform. Only the owner may enter this folder."""
        return self.path / "run"

    def log(self, name: str) -> Path:
        """Return the log file of the component with this name."""
        return self.path / "logs" / f"{name}.log"

    @property
    def state(self) -> Path:
        """The running platform, with its addresses and keys."""
        return self.run / "state.json"

    @property
    def master_key(self) -> Path:
        """The key that encrypts the persons' keys."""
        return self.run / "master.key"

    @property
    def ledger_key(self) -> Path:
        """The key that signs the ledger; routing creates it."""
        return self.run / "ledger.key"

    @property
    def partners(self) -> Path:
        """The agencies' public keys, and the hashes of their API keys; routing reads this file."""
        return self.run / "partners.json"

    @property
    def lock(self) -> Path:
        """The lock file: a supervisor holds it while a platform runs here."""
        return self.run / "lock"

    def make(self) -> None:
        """Create the folders that are missing."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.log("any").parent.mkdir(exist_ok=True)
        self.run.mkdir(exist_ok=True)
        self.run.chmod(0o700)


@dataclass(frozen=True)
class PlatformSettings:
    """Where a platform keeps its data, which city it serves, and which external servers it uses.

    Without `kafka` or `database_url` the platform runs a server of its own. With `any_ports` the operating system
    chooses the ports.
    """

    folder: DataFolder
    jurisdiction: Path = SAMPLE_CITY
    kafka: KafkaAccess | None = None
    database_url: str | None = None
    any_ports: bool = False


def settings_from(environment: Mapping[str, str], data_dir: Path) -> PlatformSettings:
    """Read HANDOFF_JURISDICTION, HANDOFF_DATABASE_URL, HANDOFF_PORTS (`any`), HANDOFF_KAFKA_BOOTSTRAP with its account.

    Raises:
        KafkaAccessError: the environment names a user for Kafka and no password.
    """
    return PlatformSettings(
        folder=DataFolder(data_dir.resolve()),
        jurisdiction=Path(environment.get("HANDOFF_JURISDICTION") or SAMPLE_CITY).resolve(),
        kafka=read_kafka_access(environment) if environment.get("HANDOFF_KAFKA_BOOTSTRAP") else None,
        database_url=environment.get("HANDOFF_DATABASE_URL") or None,
        any_ports=environment.get("HANDOFF_PORTS") == "any",
    )
