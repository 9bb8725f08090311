"""Who runs a platform, where its parts are, and the keys to them: what other commands read."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deploy.local.folders import DataFolder
from deploy.local.lock import is_held
from deploy.local.problems import LocalPlatformError
from deploy.local.secret_files import write_secret
from shared.kit.kafka.access import KafkaAccess

Phase = Literal["starting", "ready", "stopping"]


class NotRunningError(LocalPlatformError):
    """Nothing runs on this data folder."""


class PartState(BaseModel):
    """One process of the platform."""

    model_config = ConfigDict(frozen=True)

    name: str
    pid: int | None = Field(description="none while it waits to be started again")
    url: str | None = Field(description="where it serves; none if it serves nothing by HTTP")
    log: Path
    restarts: int = 0


class PlatformState(BaseModel):
    """A running platform; holds secrets, so it is never printed whole."""

    model_config = ConfigDict(frozen=True)

    pid: int
    since: datetime
    phase: Phase
    data_dir: Path
    jurisdiction: Path
    kafka_bootstrap: str
    kafka_user: str = Field(default="", description="the administrator's")
    kafka_password: str = Field(default="", repr=False)
    kafka_ca: Path | None = None
    database_url: str = Field(repr=False, description="the administrator's")
    service_database_urls: dict[str, str] = Field(repr=False, description="by name of the service")
    smtp: str = Field(description="host:port of the mailbox")
    master_key_file: Path
    api_key: str = Field(repr=False)
    staff_key: str = Field(repr=False)
    parts: tuple[PartState, ...]

    @property
    def kafka(self) -> KafkaAccess:
        """Kafka, as its administrator."""
        return KafkaAccess(self.kafka_bootstrap, self.kafka_user, self.kafka_password, self.kafka_ca)

    def part(self, name: str) -> PartState:
        """The part of that name; raise `NotRunningError` if there is none."""
        for part in self.parts:
            if part.name == name:
                return part
        raise NotRunningError(f"There is no {name} in this platform.")

    def url(self, name: str) -> str:
        """Base URL of the part of that name."""
        url = self.part(name).url
        if url is None:
            raise NotRunningError(f"{name} serves nothing by HTTP.")
        return url


def read_state(data_dir: Path) -> PlatformState:
    """The platform that runs on this data folder; raise `NotRunningError` if none does."""
    folder = DataFolder(data_dir.resolve())
    if not is_held(folder.lock):
        raise NotRunningError(f"Nothing runs on {folder.path}. Start it with `handoff up`.")
    try:
        return PlatformState.model_validate_json(folder.state.read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise NotRunningError(
            f"Something starts or stops on {folder.path} right now. Try again in a moment."
        ) from error


def write_state(state: PlatformState) -> None:
    """Write the state for others to read, as a whole or not at all."""
    write_secret(DataFolder(state.data_dir).state, state.model_dump_json(indent=2) + "\n")
