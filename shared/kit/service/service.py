"""One service: what it is made of, and how a process runs it: its parts start and stop in the right order."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, TypeVar

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

MAX_COUNTED_DEAD_LETTERS: Final = 1000
"""The health page counts no further: counting all of a large table would make it slow."""

RESTART_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Service:
    """What one service is made of.

    `precondition_check` returns which consents are valid, for outbox rows that require some; `checks` and `figures` are
    added to the service's own health. In a worker process only `http` and `loops` run. The path `first_path` is matched
    before all others: most requests ask for it. With `answers_own_errors` every path of `http` turns its own exceptions
    into answers, and no error middleware stands between it and the server.
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


def create_asgi(service: Service, process: WorkerProcess | None = None) -> Starlette:
    """Return the ASGI application of one process of a service; its lifespan runs everything else."""
    settings, database = service.settings, service.database
    observability = Observability(service.name, settings)
    instruments = observability.instruments
    consumers = ConsumerSupervisor(service.name, service.subscriptions, database, settings.kafka, instruments)
    consumers.batch_size = settings.batch_size
    relay = Relay(service.name, database, settings.kafka, service.precondition_check, instruments)
    gauges = Gauges(relay, consumers, observability.dropped_spans)
    process = process or WorkerProcess()
    own_checks = (database.problem, consumers.problem, relay.problem, *service.checks)
    health_checks = (database.problem, process.problem) if process.is_worker else own_checks

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        # Telemetry is started first and shut down last, so that the spans of the shutdown are exported, too.
        async with observability.running(gauges) as telemetry_loops:
            loops = () if process.is_worker else (relay.run, consumers.run, *telemetry_loops)
            async with _running(service, loops), process.supervised(database, own_checks):
                yield

    dead_letters = DeadLetterQueue(database, service.subscriptions)
    health = health_routes(health_checks, _figures(service, relay, observability, dead_letters))
    operators = dead_letter_routes(dead_letters, settings.staff_key.get_secret_value())
    app = Starlette(routes=_in_order([*health, *operators, *service.http], service.first_path), lifespan=lifespan)
    if service.answers_own_errors:
        app.middleware_stack = app.router
    if settings.otlp_endpoint:
        time_requests(app.router, instruments)
    return app


def _in_order(routes: Sequence[BaseRoute], first_path: str | None) -> Sequence[BaseRoute]:
    """Put the routes of one path before all others, which keep their order: Starlette takes the first that matches."""
    return sorted(routes, key=lambda route: getattr(route, "path", None) != first_path)


def _figures(service: Service, relay: Relay, observability: Observability, dead_letters: DeadLetterQueue) -> Figures:
    async def figures() -> dict[str, float]:
        kit = {
            "outbox_oldest_seconds": await relay.oldest_age(),
            "dropped_spans": observability.dropped_spans(),
            "dead_letters": await dead_letters.count_open(MAX_COUNTED_DEAD_LETTERS),
        }
        return {**kit, **(await service.figures() if service.figures else {})}

    return figures


@asynccontextmanager
async def _running(service: Service, loops: Sequence[Loop]) -> AsyncIterator[None]:
    """Open the database, and run the kit's loops and the service's own during a block."""
    await service.database.open()
    tasks = [asyncio.create_task(_restart(loop), name=loop.__qualname__) for loop in (*loops, *service.loops)]
    try:
        yield
    finally:
        await _cancel(tasks)
        await service.database.close()


def serve(name: str, create_service: Callable[[AnySettings], Service], settings: AnySettings, workers: int = 0) -> None:
    """Run a service, with so many worker processes, until it is told to stop; each process creates its own service."""
    start_logging(name, settings.log_format)
    # Bind once without SO_REUSEPORT: with it, a second instance on the same port would start and share the connections.
    with listen(settings.http_host, settings.http_port, shared=False) as claimed:
        port = claimed.getsockname()[1]
    process = fork_workers(workers)
    listening = listen(settings.http_host, port, shared=workers > 0)
    tune_gc()
    config = uvicorn.Config(
        create_asgi(create_service(settings), process),
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
        process.stop_workers()


def tune_gc() -> None:
    """Run the garbage collector less often.

    A batch creates many values that live together; looking for cycles among them costs a third of the time.
    """
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


async def _restart(loop: Loop) -> None:
    """Run a loop; log its failure and restart it after a pause."""
    while True:
        try:
            await loop()
        except Exception:
            log.exception("%s failed: restarting it", loop.__qualname__)
            await asyncio.sleep(RESTART_SECONDS)
        else:
            return


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task
