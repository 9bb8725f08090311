"""Asks routing for explanations and trials."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from deploy.cli.staff_client import routing_as_staff

TIMEOUT: Final = 60.0


class RoutingError(Exception):
    """Routing does not do what it is asked; the text says why, `findings` what is wrong in files that it was sent."""

    def __init__(self, why: str, findings: list[dict[str, Any]] | None = None) -> None:
        super().__init__(why)
        self.findings = findings or []


class RoutingClient:
    """Routing as it serves staff."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, path: str, **query: str | None) -> dict[str, Any]:
        """Ask for something."""
        return self._ask("GET", path, params={name: value for name, value in query.items() if value is not None})

    def post(self, path: str, said: Any) -> dict[str, Any]:
        """Ask about something that is said."""
        return self._ask("POST", path, json=said)

    def lines(self, path: str, said: Any) -> Iterator[dict[str, Any]]:
        """Ask about something that is said, and go through the lines of the answer as they come."""
        try:
            with self._client.stream("POST", path, json=said) as answer:
                if not answer.is_success:
                    answer.read()
                    raise _refused(answer)
                yield from (json.loads(line) for line in answer.iter_lines() if line)
        except httpx.TransportError as error:
            raise RoutingError(f"Routing does not answer ({type(error).__name__}).") from error

    def _ask(self, method: str, path: str, **said: Any) -> dict[str, Any]:
        try:
            answer = self._client.request(method, path, **said)
        except httpx.TransportError as error:
            raise RoutingError(f"Routing does not answer ({type(error).__name__}).") from error
        if not answer.is_success:
            raise _refused(answer)
        found: dict[str, Any] = answer.json()
        return found


@contextmanager
def open_routing(data_dir: Path | None) -> Iterator[RoutingClient]:
    """Open the routing that HANDOFF_ROUTING_URL and HANDOFF_STAFF_KEY name, else the one of this machine."""
    with routing_as_staff(data_dir, TIMEOUT) as client:
        yield RoutingClient(client)


def _refused(answer: httpx.Response) -> RoutingError:
    try:
        said = answer.json()
        return RoutingError(f"Routing answered {answer.status_code}: {said['error']}", said.get("findings"))
    except (ValueError, KeyError, TypeError):
        return RoutingError(f"Routing answered {answer.status_code}.")
