"""The health of a running platform: the address of each component, and whether it is ready."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from deploy.errors import NotReadyError
from deploy.local.state import ComponentState, PlatformState
from deploy.readiness import Health, check_health, wait_for_kafka, wait_for_postgres
from shared.kit.kafka.access import KafkaAccess

_TIMEOUT_SECONDS = 3.0


@dataclass(frozen=True)
class ComponentReport:
    """One component: its address, its process id if the platform started it, its health, and its restarts."""

    name: str
    address: str
    pid: int | None
    health: Health
    restarts: int = 0


def inspect(state: PlatformState) -> list[ComponentReport]:
    """Ask every component of the platform, all at once."""
    components = {component.name: component for component in state.components}
    # The two servers may be external, so they are asked by their address whether or not they are our processes.
    servers: dict[str, tuple[str, Callable[[], Health]]] = {
        "kafka": (state.kafka_bootstrap, partial(_check_kafka, state.kafka)),
        "postgres": (database_address(state), partial(_check_postgres, state.database_url)),
    }
    others = {name: _check_of(component) for name, component in components.items() if name not in servers}
    with ThreadPoolExecutor() as pool:
        running = {name: (address, pool.submit(check)) for name, (address, check) in {**servers, **others}.items()}
        return [
            _report(name, address, health.result(), components.get(name)) for name, (address, health) in running.items()
        ]


def database_address(state: PlatformState) -> str:
    """Return host, port and database, without role and password."""
    url = urlsplit(state.database_url)
    return f"{url.hostname}:{url.port or 5432}{url.path}"


def _check_of(component: ComponentState) -> tuple[str, Callable[[], Health]]:
    if component.url is not None:
        return component.url, partial(check_health, component.url)
    health = Health(ready=component.pid is not None, problems=() if component.pid else ("waits for its restart",))
    return "", lambda: health


def _report(name: str, address: str, health: Health, component: ComponentState | None) -> ComponentReport:
    pid, restarts = (component.pid, component.restarts) if component else (None, 0)
    return ComponentReport(name, address, pid, health, restarts)


def _check_kafka(kafka: KafkaAccess) -> Health:
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        asyncio.run(wait_for_kafka(kafka, _TIMEOUT_SECONDS))
    except NotReadyError as error:
        return Health(ready=False, problems=(str(error),))
    return Health(ready=True)


def _check_postgres(url: str) -> Health:
    try:
        wait_for_postgres(url, _TIMEOUT_SECONDS)
    except NotReadyError as error:
        return Health(ready=False, problems=(str(error),))
    return Health(ready=True)
