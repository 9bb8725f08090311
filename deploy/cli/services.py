"""Access to the services as staff: those that the environment names, else those of the platform that runs here."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from deploy.local.settings import default_data_dir
from deploy.local.state import PlatformState, read_state

TIMEOUT = 30.0
NAMES = ("intake", "routing", "notifications", "metrics")


class ServiceError(Exception):
    """A service does not answer, or answers with an error; the text names the service and the reason."""


@dataclass(frozen=True, slots=True)
class StaffAccess:
    """The base URL of each service, by its name, and the key of staff."""

    urls: Mapping[str, str]
    staff_key: str = field(repr=False)

    def client(self, service: str, timeout_seconds: float = TIMEOUT) -> httpx.Client:
        """Open a client for one service; it sends the key of staff."""
        headers = {"Authorization": f"Bearer {self.staff_key}"}
        # trust_env=False: a proxy from the environment of this machine must not receive the key.
        return httpx.Client(base_url=self.urls[service], headers=headers, timeout=timeout_seconds, trust_env=False)

    def request(self, service: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Send one request to a service, and return its answer.

        Raises:
            ServiceError: the service does not answer, rejects the key, or answers with an error.
        """
        try:
            with self.client(service) as client:
                answer = client.request(method, path, json=body)
        except httpx.TransportError as error:
            raise ServiceError(
                f"{service} does not answer at {self.urls[service]} ({type(error).__name__})."
            ) from error
        if not answer.is_success:
            raise ServiceError(f"{service}: {reason_of(answer) or f'it answered {answer.status_code}.'}")
        content: dict[str, Any] = answer.json()
        return content


def find_services(data_dir: Path | None, names: Sequence[str] = NAMES) -> StaffAccess:
    """Return the services that HANDOFF_<NAME>_URL and HANDOFF_STAFF_KEY name, else those of the platform here.

    Raises:
        NotRunningError: the environment does not name all of them, and no platform runs here.
    """
    urls = {name: os.environ.get(f"HANDOFF_{name.upper()}_URL", "") for name in names}
    key = os.environ.get("HANDOFF_STAFF_KEY")
    if key and all(urls.values()):
        return StaffAccess(urls, key)
    state = find_state(data_dir)
    return StaffAccess({name: urls[name] or state.url(name) for name in names}, key or state.staff_key)


def find_state(data_dir: Path | None) -> PlatformState:
    """Return the platform that runs on this machine."""
    return read_state(data_dir or default_data_dir())


def reason_of(answer: httpx.Response) -> str | None:
    """Return the reason in an error answer: `error`, or Open311's `description`; None without one."""
    try:
        content = answer.json()
        return str(content[0]["description"] if isinstance(content, list) else content["error"])
    except (ValueError, KeyError, TypeError, IndexError):
        return None
