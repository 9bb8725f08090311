"""Child processes: how one is described, started, and stopped."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.problems import ProgramFailedError

# Fast shutdown; if that takes too long, immediate shutdown, which recovers at the next start. Never SIGKILL by choice.
POSTGRES_STOP_SIGNALS = (signal.SIGINT, signal.SIGQUIT)

_LAUNCHER = Path(__file__).with_name("launcher.py")


@dataclass(frozen=True)
class Program:
    """A program to run as a child: its command, what it is told, and how it wants to be stopped."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    stop_signals: tuple[signal.Signals, ...] = (signal.SIGTERM,)

    def launched(self) -> list[str]:
        """The whole command line, by way of the launcher that ties the child's life to ours."""
        python = [sys.executable, "-I", "-S", str(_LAUNCHER)]
        return [*python, str(os.getpid()), str(int(self.stop_signals[0])), self.user, *self.command]


def start(program: Program, log: Path) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, so that a Ctrl-C in the terminal reaches only us."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603
            program.launched(),
            env={**os.environ, **program.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def run(program: Program) -> None:
    """Run a program to its end; raise `ProgramFailedError` with what it said if it fails."""
    done = subprocess.run(  # noqa: S603
        program.launched(),
        env={**os.environ, **program.environment},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise ProgramFailedError(f"{program.name} failed with exit code {done.returncode}:\n{done.stdout}")


def stop(process: subprocess.Popen[bytes], program: Program, patience: float = 10.0) -> None:
    """Stop a child the way it wants to be stopped; after `patience` seconds for each signal, kill its whole group."""
    for stop_signal in program.stop_signals:
        process.send_signal(stop_signal)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
        return
    kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a child and every process in its group, unless it has ended by itself."""
    if process.poll() is not None:
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
