"""Reaches the services as an operator: those that the environment names, else those of this machine."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from deploy.local.settings import default_data_dir
from deploy.local.state import PlatformState, read_state

TIMEOUT = 30.0
NAMES = ("intake", "routing", "notifications", "metrics")


class ServiceError(Exception):
    """A service does not do what it is asked; the text says which, and why."""


@dataclass(frozen=True, slots=True)
class Services:
    """Where each service answers, and the operators' key."""

    urls: Mapping[str, str]
    staff_key: str

    def ask(self, service: str, method: str, path: str, said: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask a service.

        Raises:
            ServiceError: it is away, does not know our key, or does not do what it is asked.
        """
        headers = {"Authorization": f"Bearer {self.staff_key}"}
        try:
            # A proxy of the machine's environment has no business between us and our services.
            with httpx.Client(base_url=self.urls[service], timeout=TIMEOUT, trust_env=False) as client:
                answer = client.request(method, path, headers=headers, json=said)
        except httpx.TransportError as error:
            raise ServiceError(
                f"{service} does not answer at {self.urls[service]} ({type(error).__name__})."
            ) from error
        if not answer.is_success:
            raise ServiceError(f"{service}: {_complaint(answer)}")
        found: dict[str, Any] = answer.json()
        return found


def find_services(data_dir: Path | None) -> Services:
    """Return the services that HANDOFF_<NAME>_URL and HANDOFF_STAFF_KEY name, else those of this machine."""
    given = {name: os.environ.get(f"HANDOFF_{name.upper()}_URL", "") for name in NAMES}
    key = os.environ.get("HANDOFF_STAFF_KEY")
    if key and all(given.values()):
        return Services(given, key)
    state = find_state(data_dir)
    return Services({name: given[name] or state.url(name) for name in NAMES}, key or state.staff_key)


def find_state(data_dir: Path | None) -> PlatformState:
    """Return the platform that runs on this machine."""
    return read_state(data_dir or default_data_dir())


def _complaint(answer: httpx.Response) -> str:
    """Say what a service says; each has its own form for it."""
    try:
        said = answer.json()
        return str(said[0]["description"] if isinstance(said, list) else said["error"])
    except (ValueError, KeyError, TypeError, IndexError):
        return f"it answered {answer.status_code}."
