"""Child processes end when they should, and are started again when they should not have ended."""

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

from deploy.local import lock, processes
from deploy.local.crew import Crew
from deploy.local.folders import DataFolder
from deploy.local.guard import Guard
from deploy.local.parts import Part
from deploy.local.problems import NotReadyError
from deploy.local.processes import Program
from tests.waiting import PATIENCE_SECONDS, eventually

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
def crew_of(folder: DataFolder) -> Iterator[Crew]:
    handle = lock.take(folder.lock)
    assert handle is not None
    guard = Guard(handle)
    crew = Crew(folder, guard)
    try:
        yield crew
    finally:
        crew.kill()
        guard.dismiss()
        os.close(handle)


def test_a_stubborn_process_is_killed_after_a_while(tmp_path: Path) -> None:
    program = Program("stubborn", STUBBORN)
    process = processes.start(program, tmp_path / "log")
    time.sleep(0.3)
    processes.stop(process, program, patience=0.3)
    assert process.returncode == -signal.SIGKILL


async def test_a_part_that_dies_is_started_again_and_told_of(folder: DataFolder) -> None:
    news: list[str] = []
    with crew_of(folder) as crew:
        crew.start(Part(Program("sleeper", SLEEPER)))
        (before,) = crew.states()
        watching = asyncio.create_task(crew.watch(news.append))
        assert before.pid is not None
        await asyncio.sleep(0.3)
        os.kill(before.pid, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while crew.states()[0].pid in {before.pid, None}:
                await asyncio.sleep(0.05)
        watching.cancel()
        (after,) = crew.states()
    assert after.pid != before.pid
    assert after.restarts == 1
    assert news[0].startswith("sleeper ended by SIGKILL; it is started again in 1 s.")


async def test_the_pauses_before_another_start_grow(folder: DataFolder) -> None:
    news: list[str] = []
    with crew_of(folder) as crew:
        crew.start(Part(Program("failing", ("false",))))
        began = time.monotonic()
        watching = asyncio.create_task(crew.watch(news.append))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(ends := [line for line in news if "ended with exit code 1" in line]) < 3:
                await asyncio.sleep(0.05)
        watching.cancel()
    assert ["in 1 s" in ends[0], "in 2 s" in ends[1], "in 4 s" in ends[2]] == [True, True, True]
    assert time.monotonic() - began > 3, "the pauses are kept, not only said"


async def test_a_part_that_is_never_ready_is_named_with_the_end_of_its_log(folder: DataFolder) -> None:
    program = Program("mute", ("sh", "-c", "echo I have no page; sleep 1000"))
    with crew_of(folder) as crew:
        crew.start(Part(program, url="http://127.0.0.1:9"))
        await asyncio.sleep(0.3)
        with pytest.raises(NotReadyError, match=r"(?s)mute is not ready: does not answer.*I have no page"):
            await crew.wait_until_ready(0.2)


SUPERVISOR = """
    import sys, time
    from pathlib import Path
    from deploy.local import lock
    from deploy.local.crew import Crew
    from deploy.local.folders import DataFolder
    from deploy.local.guard import Guard
    from deploy.local.parts import Part
    from deploy.local.processes import Program

    folder = DataFolder(Path(sys.argv[1]))
    crew = Crew(folder, Guard(lock.take(folder.lock)))
    for name, command in (("stubborn", {stubborn}), ("sleeper", {sleeper})):
        crew.start(Part(Program(name, command)))
    time.sleep(0.5)
    print(*(part.pid for part in crew.states()), flush=True)
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
    assert lock.is_held(folder.lock)
    assert eventually(lambda: is_gone(stubborn) and not lock.is_held(folder.lock))
