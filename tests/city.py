"""A whole city for tests: the platform as `handoff up` runs it, and ways to file, wait and look."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg

from deploy.local import background
from deploy.local.servers.temporary import temporary_folder
from deploy.local.settings import DataFolder
from deploy.local.state import PlatformState, read_state
from tests.eventually import eventually

FAST_AGENCIES = "86400"
"""The sample agencies do a day's work in a second."""


@dataclass(frozen=True)
class RunningCity:
    """A running platform."""

    folder: Path

    @property
    def state(self) -> PlatformState:
        """Where everything is now: a part that was killed comes back with another process."""
        return read_state(self.folder)

    def file(self, key: str | None = None, **fields: str | list[str]) -> httpx.Response:
        """File a report by Open311, with an idempotency key if one is given."""
        headers = {"Authorization": f"Bearer {self.state.api_key}"} | ({"Idempotency-Key": key} if key else {})
        return httpx.post(
            f"{self.state.url('intake')}/open311/v2/requests.json", data=fields, headers=headers, timeout=30
        )

    def ask(self, part: str, path: str) -> httpx.Response:
        """Ask a part as its staff."""
        headers = {"Authorization": f"Bearer {self.state.staff_key}"}
        return httpx.get(f"{self.state.url(part)}{path}", headers=headers, timeout=30)

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run `handoff` with this city's folder."""
        environment = os.environ | {"HANDOFF_DATA_DIR": str(self.folder), "COLUMNS": "160"}
        return subprocess.run(  # noqa: S603 - our own command
            [".venv/bin/python", "-m", "deploy.cli.main", *words],
            capture_output=True, text=True, check=False, env=environment, timeout=300,
        )  # fmt: skip

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the database as its administrator."""
        with psycopg.connect(self.state.database_url) as connection:
            return connection.execute(query).fetchall()

    def reconciled(self, cases: int) -> dict[str, Any]:
        """Wait until metrics has so many cases and none is on its way; return its account."""
        return eventually(lambda: self._account(cases), 90)

    def _account(self, cases: int) -> dict[str, Any] | None:
        account = self.ask("metrics", "/reconciliation").json()
        settled = account["accepted"] >= cases and account["pending"] == 0
        return account if settled else None


@contextmanager
def running_city(**environment: str) -> Iterator[RunningCity]:
    """Run a platform on ports of its own for the length of a block; it ends with this process, whatever happens."""
    settings = {"HANDOFF_AGENCY_SPEED": FAST_AGENCIES, "HANDOFF_PORTS": "any"} | environment
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        with temporary_folder() as folder:
            background.start(DataFolder(folder), tied=True)
            try:
                yield RunningCity(folder)
            finally:
                background.stop(DataFolder(folder))
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
