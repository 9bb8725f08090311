"""Runs a whole platform until a signal comes: servers first, then topics and tables, then the services.

`python -m deploy.local.supervisor DATA_DIR` reads the settings of the environment; `handoff up --detach` starts it so.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from deploy.errors import NotReadyError, PlatformError
from deploy.local.keys import load_keys
from deploy.local.ports import LOOPBACK
from deploy.local.processes.child_process import kill_process, last_lines, start_process
from deploy.local.processes.orphan_reaper import OrphanReaper
from deploy.local.processes.process_group import Component, ProcessGroup
from deploy.local.servers.kafka import KafkaNode, prepare_kafka
from deploy.local.servers.kafka_runtime import find_runtime
from deploy.local.servers.postgres import PostgresNode, prepare_postgres
from deploy.local.settings import PlatformSettings, settings_from
from deploy.local.stack_plan import StackPlan, choose_addresses
from deploy.local.state import Phase, PlatformState, take_lock, write_state

READY_WITHIN_SECONDS = 90.0
_SERVERS = ("kafka", "postgres", "mailbox")
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class AlreadyRunningError(PlatformError):
    """A platform runs on this data folder."""


@dataclass(frozen=True)
class ProgressReporter:
    """Callbacks of the supervisor: `report` takes a sentence for each change, `ready` is called once all is ready."""

    report: Callable[[str], None]
    ready: Callable[[PlatformState], None]


class Supervisor:
    """Runs one platform."""

    def __init__(self, settings: PlatformSettings, lock: int, progress: ProgressReporter) -> None:
        """Take the lock of the data folder, which the caller holds, as a file descriptor."""
        keys = load_keys(settings.folder)
        self._settings = settings
        self._progress = progress
        self._plan = StackPlan(settings, keys, choose_addresses(settings, keys))
        self._reaper = OrphanReaper(lock)
        self._group = ProcessGroup(settings.folder, self._reaper)
        self._since = datetime.now(UTC)
        self._phase: Phase = "starting"

    async def run(self) -> None:
        """Start everything, keep it running until this task is cancelled, then stop everything.

        Raises:
            PlatformError: the platform cannot be started.
        """
        supervision = asyncio.create_task(self._group.supervise(self._report_change))
        try:
            await self._start()
            self._enter("ready")
            self._progress.ready(self.state())
            await supervision
        finally:
            supervision.cancel()
            self._enter("stopping")
            # A second cancellation must not leave processes behind: a second signal calls `kill`.
            await asyncio.shield(self._stop())

    def kill(self) -> None:
        """Kill every process, for a user who does not want to wait."""
        self._group.kill()

    def state(self) -> PlatformState:
        """Return what the state file says, keys included."""
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
            components=self._group.states(),
        )

    async def _start(self) -> None:
        self._enter("starting")
        if not self._settings.any_ports:
            for sentence in self._plan.addresses.unusual_ports():
                self._progress.report(sentence)
        await _run_all(self._start_kafka(), self._start_postgres(), self._prepare())
        for component in (*self._plan.services(), self._plan.agencies()):
            self._group.start(component)
        self._enter("starting")
        await self._group.wait_until_ready(READY_WITHIN_SECONDS)

    async def _start_kafka(self) -> None:
        if self._settings.kafka is not None:
            return
        ports, password = self._plan.addresses.ports, self._plan.keys.kafka_admin_password
        node = KafkaNode(self._settings.folder.kafka, ports["kafka"], ports["kafka-controller"], password)
        process = await asyncio.to_thread(prepare_kafka, node, find_runtime())
        self._group.start(Component(process))

    async def _start_postgres(self) -> None:
        if self._settings.database_url is not None:
            return
        port, password = self._plan.addresses.ports["postgres"], self._plan.keys.admin_password
        node = PostgresNode(self._settings.folder.postgres, port, password)
        self._group.start(Component(await asyncio.to_thread(prepare_postgres, node)))

    async def _prepare(self) -> None:
        """Run the job that creates topics and tables. The job waits for the servers, so it starts with them."""
        self._group.start(self._plan.mailbox())
        spec, log = self._plan.preparation(), self._settings.folder.log("preparation")
        log.unlink(missing_ok=True)
        job = start_process(spec, log)
        self._reaper.register(job.pid, spec.stop_signals[0])
        try:
            code = await asyncio.to_thread(job.wait)
        finally:
            kill_process(job)
        if code:
            raise NotReadyError(f"Topics or tables cannot be created ({log}):\n{last_lines(log)}")

    def _report_change(self, change: str) -> None:
        self._progress.report(change)
        # The change may be another process id, which the state file must have.
        self._enter(self._phase)

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        write_state(self.state())

    async def _stop(self) -> None:
        """Stop the services before the servers that they use."""
        names = {component.name for component in self._group.states()}
        await self._group.stop(names - set(_SERVERS))
        await self._group.stop(_SERVERS)
        self._reaper.close()
        self._settings.folder.state.unlink(missing_ok=True)


async def _run_all(*work: Coroutine[None, None, None]) -> None:
    """Run coroutines concurrently; if one fails, cancel the others and raise its error by itself."""
    try:
        async with asyncio.TaskGroup() as group:
            for each in work:
                group.create_task(each)
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None


def run_platform(settings: PlatformSettings, progress: ProgressReporter) -> None:
    """Run a platform until Ctrl-C, SIGTERM or SIGHUP, and stop it; a second signal kills it.

    Raises:
        AlreadyRunningError: a platform runs on this data folder.
        PlatformError: the platform cannot be started.
    """
    settings.folder.make()
    lock = take_lock(settings.folder.lock)
    if lock is None:
        raise AlreadyRunningError(f"A platform already runs on {settings.folder.path}.")
    # This process never closes the lock: the kernel releases it when the process has ended, and not before.
    asyncio.run(_run_until_signal(settings, lock, progress))


async def _run_until_signal(settings: PlatformSettings, lock: int, progress: ProgressReporter) -> None:
    supervisor = Supervisor(settings, lock, progress)
    work = asyncio.create_task(supervisor.run())
    received: list[None] = []

    def stop() -> None:
        if received:
            supervisor.kill()
        else:
            progress.report("Stopping ...")
            work.cancel()
        received.append(None)

    for number in _STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop)
    try:
        await work
    except asyncio.CancelledError:
        return


def main() -> None:
    """Run the platform of the folder that the command line names, and report on standard output."""
    settings = settings_from(os.environ, Path(sys.argv[1]))
    progress = ProgressReporter(report=_write_line, ready=lambda _: _write_line("Ready."))
    try:
        run_platform(settings, progress)
    except PlatformError as error:
        sys.exit(str(error))


def _write_line(text: str) -> None:
    sys.stdout.write(f"{datetime.now().astimezone():%H:%M:%S} {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
