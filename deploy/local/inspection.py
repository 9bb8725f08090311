"""Looking at a running platform: where each part is, and whether it is ready."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from deploy.local.health import Health, ask
from deploy.local.problems import NotReadyError
from deploy.local.state import PartState, PlatformState
from shared.kit.kafka.access import KafkaAccess

_SECONDS = 3.0


@dataclass(frozen=True)
class PartReport:
    """One part: where it is, its process if it is one of ours, and its health."""

    name: str
    address: str
    pid: int | None
    health: Health
    restarts: int = 0


def inspect(state: PlatformState) -> list[PartReport]:
    """Ask every part of the platform, all at once."""
    processes = {part.name: part for part in state.parts}
    servers: dict[str, tuple[str, Callable[[], Health]]] = {
        "kafka": (state.kafka_bootstrap, partial(_ask_kafka, state.kafka)),
        "postgres": (database_address(state), partial(_ask_postgres, state.database_url)),
    }
    rest = {name: _own(part) for name, part in processes.items() if name not in servers}
    with ThreadPoolExecutor() as pool:
        asked = {name: (address, pool.submit(check)) for name, (address, check) in {**servers, **rest}.items()}
        return [
            _report(name, address, answer.result(), processes.get(name)) for name, (address, answer) in asked.items()
        ]


def database_address(state: PlatformState) -> str:
    """Host, port and database, without role and password."""
    url = urlsplit(state.database_url)
    return f"{url.hostname}:{url.port or 5432}{url.path}"


def _own(part: PartState) -> tuple[str, Callable[[], Health]]:
    if part.url is not None:
        return part.url, partial(ask, part.url)
    runs = Health(ready=part.pid is not None, problems=() if part.pid else ("waits to be started again",))
    return "", lambda: runs


def _report(name: str, address: str, health: Health, part: PartState | None) -> PartReport:
    return PartReport(name, address, part.pid if part else None, health, part.restarts if part else 0)


def _ask_kafka(kafka: KafkaAccess) -> Health:
    from deploy.local.readiness import wait_for_kafka  # noqa: PLC0415 - the command line must start fast

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        asyncio.run(wait_for_kafka(kafka, _SECONDS))
    except NotReadyError as error:
        return Health(ready=False, problems=(str(error),))
    return Health(ready=True)


def _ask_postgres(url: str) -> Health:
    from deploy.local.readiness import wait_for_postgres  # noqa: PLC0415 - the command line must start fast

    try:
        wait_for_postgres(url, _SECONDS)
    except NotReadyError as error:
        return Health(ready=False, problems=(str(error),))
    return Health(ready=True)
