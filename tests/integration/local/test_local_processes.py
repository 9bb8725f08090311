"""Child processes: stopped, restarted, awaited, and ended with a supervisor that is killed."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from deploy.errors import NotReadyError
from deploy.local.processes.child_process import ProcessSpec, start_process, stop_process
from deploy.local.processes.orphan_reaper import OrphanReaper
from deploy.local.processes.process_group import Component, ProcessGroup
from deploy.local.settings import DataFolder
from deploy.local.state import is_locked, take_lock
from tests.eventually import PATIENCE_SECONDS, eventually

STUBBORN = ("sh", "-c", "trap '' TERM; while true; do sleep 0.1; done")
SLEEPER = ("sleep", "1000")


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path)
    folder.make()
    return folder


@contextmanager
def group_of(folder: DataFolder) -> Iterator[ProcessGroup]:
    lock = take_lock(folder.lock)
    assert lock is not None
    reaper = OrphanReaper(lock)
    group = ProcessGroup(folder, reaper)
    try:
        yield group
    finally:
        group.kill()
        reaper.close()
        os.close(lock)


def test_a_stubborn_process_is_killed_after_a_while(tmp_path: Path) -> None:
    program = ProcessSpec("stubborn", STUBBORN)
    process = start_process(program, tmp_path / "log")
    time.sleep(0.3)
    stop_process(process, program, timeout_seconds=0.3)
    assert process.returncode == -signal.SIGKILL


async def test_a_component_that_ends_is_restarted_and_reported(folder: DataFolder) -> None:
    news: list[str] = []
    with group_of(folder) as group:
        group.start(Component(ProcessSpec("sleeper", SLEEPER)))
        (before,) = group.states()
        supervision = asyncio.create_task(group.supervise(news.append))
        assert before.pid is not None
        await asyncio.sleep(0.3)
        os.kill(before.pid, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while group.states()[0].pid in {before.pid, None}:
                await asyncio.sleep(0.05)
        supervision.cancel()
        (after,) = group.states()
    assert after.pid != before.pid
    assert after.restarts == 1
    assert news[0].startswith("sleeper ended by SIGKILL; it restarts in 1 s.")


async def test_the_pauses_before_restarts_grow(folder: DataFolder) -> None:
    news: list[str] = []
    with group_of(folder) as group:
        group.start(Component(ProcessSpec("failing", ("false",))))
        began = time.monotonic()
        supervision = asyncio.create_task(group.supervise(news.append))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(ends := [line for line in news if "ended with exit code 1" in line]) < 3:
                await asyncio.sleep(0.05)
        supervision.cancel()
    assert ["in 1 s" in ends[0], "in 2 s" in ends[1], "in 4 s" in ends[2]] == [True, True, True]
    assert time.monotonic() - began > 3, "the pauses are kept, not only said"


async def test_a_component_that_is_never_ready_is_named_with_the_end_of_its_log(folder: DataFolder) -> None:
    program = ProcessSpec("mute", ("sh", "-c", "echo I have no page; sleep 1000"))
    with group_of(folder) as group:
        group.start(Component(program, url="http://127.0.0.1:9"))
        await asyncio.sleep(0.3)
        with pytest.raises(NotReadyError, match=r"(?s)mute is not ready: does not answer.*I have no page"):
            await group.wait_until_ready(0.2)


SUPERVISOR = """
    import sys, time
    from pathlib import Path
    from deploy.local.processes.child_process import ProcessSpec
    from deploy.local.processes.orphan_reaper import OrphanReaper
    from deploy.local.processes.process_group import Component, ProcessGroup
    from deploy.local.settings import DataFolder
    from deploy.local.state import take_lock

    folder = DataFolder(Path(sys.argv[1]))
    group = ProcessGroup(folder, OrphanReaper(take_lock(folder.lock)))
    for name, command in (("stubborn", {stubborn}), ("sleeper", {sleeper})):
        group.start(Component(ProcessSpec(name, command)))
    time.sleep(0.5)
    print(*(component.pid for component in group.states()), flush=True)
    time.sleep(1000)
"""


@pytest.mark.slow
def test_a_killed_supervisor_leaves_no_process_and_no_lock(folder: DataFolder) -> None:
    code = textwrap.dedent(SUPERVISOR).format(stubborn=STUBBORN, sleeper=SLEEPER)
    command = [sys.executable, "-c", code, str(folder.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as supervisor:  # noqa: S603
        assert supervisor.stdout is not None
        stubborn, sleeper = map(int, supervisor.stdout.readline().split())
        assert not is_gone(stubborn)
        supervisor.kill()
    assert eventually(lambda: is_gone(sleeper))
    assert is_locked(folder.lock)
    assert eventually(lambda: is_gone(stubborn) and not is_locked(folder.lock))
