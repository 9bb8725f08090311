"""One child process: its description, its start, and its end."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from deploy.errors import ProgramFailedError

# Fast shutdown, and immediate shutdown if that takes too long; PostgreSQL recovers from the latter at its next start.
# SIGKILL is the last resort: PostgreSQL's child processes and shared memory may survive it.
POSTGRES_STOP_SIGNALS = (signal.SIGINT, signal.SIGQUIT)

_LAUNCHER = Path(__file__).with_name("launcher.py")
_LAST_LINES = 15


@dataclass(frozen=True)
class ProcessSpec:
    """A child process to start: its command, environment variables, account, and the signals that stop it, in order.

    `environment` is added to the environment of this process. An empty `user` keeps the account of this process.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    stop_signals: tuple[signal.Signals, ...] = (signal.SIGTERM,)

    def command_line(self) -> list[str]:
        """Return the command line that starts the process through the launcher, which ties its life to ours."""
        # -I and -S: the launcher needs the standard library only, and starts faster without site-packages.
        python = [sys.executable, "-I", "-S", str(_LAUNCHER)]
        return [*python, str(os.getpid()), str(int(self.stop_signals[0])), self.user, *self.command]


def start_process(spec: ProcessSpec, log: Path) -> subprocess.Popen[bytes]:
    """Start a process that appends its output to `log`.

    Call this from the main thread: the kernel ends the process when the thread that started it ends.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603
            spec.command_line(),
            env={**os.environ, **spec.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C in the terminal must reach the supervisor only
        )


def run_program(spec: ProcessSpec) -> None:
    """Run a program until it ends.

    Raises:
        ProgramFailedError: its exit code is not zero; the text has its output.
    """
    done = subprocess.run(  # noqa: S603
        spec.command_line(),
        env={**os.environ, **spec.environment},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise ProgramFailedError(f"{spec.name} failed with exit code {done.returncode}:\n{done.stdout}")


def stop_process(process: subprocess.Popen[bytes], spec: ProcessSpec, timeout_seconds: float = 10.0) -> None:
    """Send the stop signals in order, wait `timeout_seconds` after each, and then kill the process group."""
    for stop_signal in spec.stop_signals:
        process.send_signal(stop_signal)
        try:
            process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            continue
        return
    kill_process(process)


def kill_process(process: subprocess.Popen[bytes]) -> None:
    """Kill a child process and its process group, unless it has ended."""
    if process.poll() is not None:
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def last_lines(log: Path) -> str:
    """Return the end of a log, for an error message."""
    if not log.exists():
        return ""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:])
