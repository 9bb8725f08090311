"""Runs a whole platform: servers first, then topics and tables, then the services; until it is told to stop."""

import asyncio
import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime

from deploy.local import processes
from deploy.local.addresses import choose_addresses
from deploy.local.crew import Crew
from deploy.local.guard import Guard
from deploy.local.kafka import KafkaNode, prepare_kafka
from deploy.local.kafka_runtime import find_runtime
from deploy.local.keys import load_keys
from deploy.local.parts import Part, Plan
from deploy.local.ports import LOOPBACK
from deploy.local.postgres import PostgresNode, prepare_postgres
from deploy.local.problems import NotReadyError
from deploy.local.readiness import last_lines
from deploy.local.settings import PlatformSettings
from deploy.local.state import Phase, PlatformState, write_state

READY_WITHIN_SECONDS = 90.0
_SERVERS = ("kafka", "postgres", "mailbox")


@dataclass(frozen=True)
class Voice:
    """Who hears of it: `tell` of every change in a sentence, `ready` once, when everything is."""

    tell: Callable[[str], None]
    ready: Callable[[PlatformState], None]


class Supervisor:
    """Runs one platform; `lock` is the lock of its data folder, held by the caller."""

    def __init__(self, settings: PlatformSettings, lock: int, voice: Voice) -> None:
        keys = load_keys(settings.folder)
        self._settings = settings
        self._voice = voice
        self._plan = Plan(settings, keys, choose_addresses(settings, keys))
        self._guard = Guard(lock)
        self._crew = Crew(settings.folder, self._guard)
        self._since = datetime.now(UTC)
        self._phase: Phase = "starting"

    async def run(self) -> None:
        """Start everything and keep it running until cancelled; then stop everything.

        Raises:
            LocalPlatformError: the platform cannot be started.
        """
        watching = asyncio.create_task(self._crew.watch(self._tell))
        try:
            await self._start()
            self._enter("ready")
            self._voice.ready(self.state())
            await watching
        finally:
            watching.cancel()
            self._enter("stopping")
            await asyncio.shield(self._stop())

    def kill(self) -> None:
        """End everything at once: for a user who does not want to wait."""
        self._crew.kill()

    def state(self) -> PlatformState:
        """Everything that others may want to know, keys too."""
        addresses, keys = self._plan.addresses, self._plan.keys
        return PlatformState(
            pid=os.getpid(),
            since=self._since,
            phase=self._phase,
            data_dir=self._settings.folder.path,
            jurisdiction=self._settings.jurisdiction,
            kafka_bootstrap=addresses.kafka.bootstrap,
            kafka_user=addresses.kafka.user,
            kafka_password=addresses.kafka.password,
            kafka_ca=addresses.kafka.ca,
            database_url=addresses.database_url,
            service_database_urls={name: addresses.database_url_of(name, keys) for name in keys.passwords},
            smtp=f"{LOOPBACK}:{addresses.ports['smtp']}",
            master_key_file=self._settings.folder.master_key,
            api_key=keys.api_key,
            staff_key=keys.staff_key,
            parts=self._crew.states(),
        )

    async def _start(self) -> None:
        self._enter("starting")
        if not self._settings.any_ports:
            for move in self._plan.addresses.moves():
                self._voice.tell(move)
        await _together(self._start_kafka(), self._start_postgres(), self._prepare())
        for part in (*self._plan.services(), self._plan.agencies()):
            self._crew.start(part)
        self._enter("starting")
        await self._crew.wait_until_ready(READY_WITHIN_SECONDS)

    async def _start_kafka(self) -> None:
        if self._settings.kafka is not None:
            return
        ports, password = self._plan.addresses.ports, self._plan.keys.kafka_admin_password
        node = KafkaNode(self._settings.folder.kafka, ports["kafka"], ports["kafka-controller"], password)
        program = await asyncio.to_thread(prepare_kafka, node, find_runtime())
        self._crew.start(Part(program))

    async def _start_postgres(self) -> None:
        if self._settings.database_url is not None:
            return
        port, password = self._plan.addresses.ports["postgres"], self._plan.keys.admin_password
        node = PostgresNode(self._settings.folder.postgres, port, password)
        self._crew.start(Part(await asyncio.to_thread(prepare_postgres, node)))

    async def _prepare(self) -> None:
        """Run the job that makes topics and tables. It waits for the servers itself, so it starts with them."""
        self._crew.start(self._plan.mailbox())
        program, log = self._plan.preparation(), self._settings.folder.log("preparation")
        log.unlink(missing_ok=True)
        job = processes.start(program, log)
        self._guard.register(job, Part(program))
        try:
            code = await asyncio.to_thread(job.wait)
        finally:
            processes.kill(job)
        if code:
            raise NotReadyError(f"Topics or tables could not be made ({log}):\n{last_lines(log)}")

    def _tell(self, news: str) -> None:
        self._voice.tell(news)
        self._enter(self._phase)

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        write_state(self.state())

    async def _stop(self) -> None:
        """Stop the services before what they talk to."""
        names = {part.name for part in self._crew.states()}
        await self._crew.stop(names - set(_SERVERS))
        await self._crew.stop(_SERVERS)
        self._guard.dismiss()
        self._settings.folder.state.unlink(missing_ok=True)


async def _together(*work: Coroutine[None, None, None]) -> None:
    """Do it all at once; when one fails, the others are cancelled and its own error is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for each in work:
                group.create_task(each)
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
