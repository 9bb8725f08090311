"""Where things are kept on this machine."""

import os
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path


def cache_folder() -> Path:
    """What can be downloaded again: the user's cache folder, or what HANDOFF_CACHE_DIR names."""
    chosen = os.environ.get("HANDOFF_CACHE_DIR")
    return Path(chosen) if chosen else user_cache_path("handoff", appauthor=False)


def kafka_jars_folder() -> Path:
    """Where the jars of Apache Kafka are kept; jars put there by hand are used, if they are the pinned ones."""
    return cache_folder() / "kafka-4.3.0"


@dataclass(frozen=True)
class DataFolder:
    """The data of one platform: databases, logs, keys, and who runs it now."""

    path: Path

    @property
    def kafka(self) -> Path:
        """Kafka's data and settings."""
        return self.path / "kafka"

    @property
    def postgres(self) -> Path:
        """PostgreSQL's data; under root it belongs to another account."""
        return self.path / "postgres"

    @property
    def accounts(self) -> Path:
        """What each agency is handed: its account at Kafka and its keys, in files of its own."""
        return self.path / "accounts"

    @property
    def run(self) -> Path:
        """Keys, and who runs here now: for the owner's eyes only."""
        return self.path / "run"

    def log(self, name: str) -> Path:
        """What the part of that name says."""
        return self.path / "logs" / f"{name}.log"

    @property
    def state(self) -> Path:
        """Who runs here, with addresses and keys."""
        return self.run / "state.json"

    @property
    def master_key(self) -> Path:
        """The key that wraps the persons' keys."""
        return self.run / "master.key"

    @property
    def ledger_key(self) -> Path:
        """The key that signs the ledger; routing makes it."""
        return self.run / "ledger.key"

    @property
    def partners(self) -> Path:
        """The agencies' public keys, and hashes of the others; routing reads it."""
        return self.run / "partners.json"

    @property
    def lock(self) -> Path:
        """Held for as long as something runs here."""
        return self.run / "lock"

    def make(self) -> None:
        """Make the folders that are missing."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.log("any").parent.mkdir(exist_ok=True)
        self.run.mkdir(exist_ok=True)
        self.run.chmod(0o700)
