"""The state file of a running platform, which other commands read, and the lock on its data folder."""

import fcntl
import os
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deploy.errors import PlatformError
from deploy.local.settings import DataFolder
from deploy.secret_files import write_secret
from shared.kit.kafka.access import KafkaAccess

Phase = Literal["starting", "ready", "stopping"]


class NotRunningError(PlatformError):
    """No platform runs on this data folder, or the platform lacks what was asked for."""


class ComponentState(BaseModel):
    """One process of the platform."""

    model_config = ConfigDict(frozen=True)

    name: str
    pid: int | None = Field(description="None while the process is down and waits for its restart")
    url: str | None = Field(description="base URL; None if the component does not serve HTTP")
    log: Path
    restarts: int = 0


class PlatformState(BaseModel):
    """A running platform. It holds secrets, so no command prints it as a whole."""

    model_config = ConfigDict(frozen=True, validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    pid: int
    since: datetime
    phase: Phase
    data_dir: Path
    jurisdiction: Path
    kafka_bootstrap: str
    kafka_user: str = Field(default="", description="the administrator's account")
    kafka_password: str = Field(default="", repr=False)
    kafka_ca: Path | None = None
    database_url: str = Field(repr=False, description="with the administrator's role")
    service_database_urls: dict[str, str] = Field(repr=False, description="by name of the service")
    smtp: str = Field(description="host:port of the mailbox")
    master_key_file: Path
    api_key: str = Field(repr=False)
    staff_key: str = Field(repr=False)
    components: tuple[ComponentState, ...] = Field(alias="parts")

    @property
    def kafka(self) -> KafkaAccess:
        """Kafka, with the administrator's account."""
        return KafkaAccess(self.kafka_bootstrap, self.kafka_user, self.kafka_password, self.kafka_ca)

    def component(self, name: str) -> ComponentState:
        """Return the component with this name.

        Raises:
            NotRunningError: the platform has none.
        """
        for component in self.components:
            if component.name == name:
                return component
        raise NotRunningError(f"This platform has no component named {name}.")

    def url(self, name: str) -> str:
        """Return the base URL of the component with this name.

        Raises:
            NotRunningError: the platform has no such component, or it does not serve HTTP.
        """
        url = self.component(name).url
        if url is None:
            raise NotRunningError(f"{name} does not serve HTTP.")
        return url


def read_state(data_dir: Path) -> PlatformState:
    """Read the state of the platform that runs on this data folder.

    Raises:
        NotRunningError: no platform runs there, or it is just starting or stopping.
    """
    folder = DataFolder(data_dir.resolve())
    if not is_locked(folder.lock):
        raise NotRunningError(f"No platform runs on {folder.path}. Start one with `handoff up`.")
    try:
        return PlatformState.model_validate_json(folder.state.read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise NotRunningError(
            f"The platform on {folder.path} is starting or stopping. Try again in a moment."
        ) from error


def write_state(state: PlatformState) -> None:
    """Write the state file atomically."""
    write_secret(DataFolder(state.data_dir).state, state.model_dump_json(indent=2) + "\n")


def take_lock(path: Path) -> int | None:
    """Take the lock of a data folder and return its file descriptor; None if another process holds it.

    The supervisor and its orphan reaper keep the descriptor open, and the kernel releases the lock when both have
    ended.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def is_locked(path: Path) -> bool:
    """Return whether a process holds the lock."""
    if not path.exists():
        return False
    handle = os.open(path, os.O_RDWR)
    try:
        # A shared lock: two processes that test the lock at the same time do not see each other as its holder.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
