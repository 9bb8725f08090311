"""One service: its consumers, its relay, what it serves, started and stopped in the right order."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from shared.kit.consumer.supervisor import ConsumerSupervisor
from shared.kit.database.database import Database
from shared.kit.dead_letters.redrive import DeadLetterQueue
from shared.kit.dead_letters.routes import dead_letter_routes
from shared.kit.http.health import Check, Figures, health_routes
from shared.kit.messaging.messages import Subscription
from shared.kit.observability.http_metrics import time_requests
from shared.kit.observability.logs import start_logging
from shared.kit.relay.relay import PreconditionCheck, Relay
from shared.kit.service.gauges import Gauges
from shared.kit.service.observability import Loop, Observability
from shared.kit.service.processes import WorkerProcess, fork_workers, listen
from shared.kit.service.settings import ServiceSettings

log = logging.getLogger(__name__)

AnySettings = TypeVar("AnySettings", bound=ServiceSettings)

MOST_LETTERS_COUNTED = 1000


@dataclass(frozen=True, slots=True)
class Service:
    """What one service is made of.

    `precondition_check` answers which consents of outbox rows are valid; `checks` and `figures` go with its own health.
    In a worker process only `http` and `loops` run. The path `first_path` is matched before all others: most requests
    ask for it. With `answers_own_errors` every path of `http` turns its own exceptions into answers, and no error
    middleware stands between it and the server.
    """

    name: str
    settings: ServiceSettings
    database: Database
    subscriptions: Sequence[Subscription] = ()
    http: Sequence[BaseRoute] = ()
    loops: Sequence[Loop] = field(default=())
    precondition_check: PreconditionCheck | None = None
    checks: Sequence[Check] = ()
    figures: Figures | None = None
    first_path: str | None = None
    answers_own_errors: bool = False


def create_asgi(service: Service, place: WorkerProcess | None = None) -> Starlette:
    """Make the ASGI application of one process of a service; its lifespan runs everything else."""
    settings = service.settings
    seeing = Observability(service.name, settings)
    instruments = seeing.instruments
    consumption = ConsumerSupervisor(service.name, service.subscriptions, service.database, settings.kafka, instruments)
    consumption.batch_size = settings.batch_size
    relay = Relay(service.name, service.database, settings.kafka, service.precondition_check, instruments)
    gauges = Gauges(relay, consumption, seeing.dropped_spans)

    place = place or WorkerProcess()
    checks = (service.database.problem, consumption.problem, relay.problem, *service.checks)
    answered_for = (service.database.problem, place.problem) if place.is_helper else checks

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with seeing.through(gauges) as looks:
            loops = () if place.is_helper else (relay.run, consumption.run, *looks)
            async with _running(service, loops), place.kept(service.database, checks):
                yield

    redelivery = DeadLetterQueue(service.database, service.subscriptions)
    health = health_routes(answered_for, _figures(service, relay, seeing, redelivery))
    letters = dead_letter_routes(redelivery, settings.staff_key.get_secret_value())
    app = Starlette(routes=_in_order([*health, *letters, *service.http], service.first_path), lifespan=lifespan)
    if service.answers_own_errors:
        app.middleware_stack = app.router
    if settings.otlp_endpoint:
        time_requests(app.router, instruments)
    return app


def _in_order(routes: Sequence[BaseRoute], first_path: str | None) -> Sequence[BaseRoute]:
    """Put the routes of one path before all others, which keep their order: Starlette takes the first that matches."""
    return sorted(routes, key=lambda route: getattr(route, "path", None) != first_path)


def _figures(service: Service, relay: Relay, seeing: Observability, redelivery: DeadLetterQueue) -> Figures:
    async def figures() -> dict[str, float]:
        kit = {
            "outbox_oldest_seconds": await relay.oldest_seconds(),
            "dropped_spans": seeing.dropped_spans(),
            "dead_letters": await redelivery.count_open(MOST_LETTERS_COUNTED),
        }
        return {**kit, **(await service.figures() if service.figures else {})}

    return figures


@asynccontextmanager
async def _running(service: Service, loops: Sequence[Loop]) -> AsyncIterator[None]:
    """Run the kit's loops and the service's own on an open database, for the length of a block."""
    await service.database.open()
    tasks = _start([*loops, *service.loops])
    try:
        yield
    finally:
        await _end(tasks)
        await service.database.close()


def serve(name: str, create_service: Callable[[AnySettings], Service], settings: AnySettings, helpers: int = 0) -> None:
    """Run a service, with `helpers` further processes, until it is told to stop; each process makes its own service."""
    start_logging(name, settings.log_format)
    with listen(settings.http_host, settings.http_port, shared=False) as claimed:  # nobody else may be there
        port = claimed.getsockname()[1]
    place = fork_workers(helpers)
    listening = listen(settings.http_host, port, shared=helpers > 0)
    tune_gc()
    config = uvicorn.Config(
        create_asgi(create_service(settings), place),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=5,
        server_header=False,
        proxy_headers=False,
    )
    try:
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        place.dismiss()


def tune_gc() -> None:
    """Look for cycles seldom: a batch makes many values that live together, and looking through them costs a third."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def _start(loops: Sequence[Loop]) -> list[asyncio.Task[None]]:
    return [asyncio.create_task(_keep(loop), name=loop.__qualname__) for loop in loops]


async def _keep(loop: Loop) -> None:
    """Run a loop; one that fails is started anew after a pause, and said aloud."""
    while True:
        try:
            await loop()
        except Exception:
            log.exception("%s failed: starting it anew", loop.__qualname__)
            await asyncio.sleep(1)
        else:
            return


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
