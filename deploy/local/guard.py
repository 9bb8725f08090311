"""The supervisor's side of the guardian, which ends what is left when the supervisor is killed."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from deploy.local.parts import Part

_GUARDIAN = Path(__file__).with_name("guardian.py")


class Guard:
    """Tells a guardian of every process that is started. The guardian holds the lock of the data folder, too."""

    def __init__(self, lock: int) -> None:
        hearing, self._pipe = os.pipe()
        self._guardian = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", str(_GUARDIAN)],
            stdin=hearing,
            pass_fds=(lock,),
            start_new_session=True,
        )
        os.close(hearing)

    def register(self, process: subprocess.Popen[bytes], part: Part) -> None:
        """Put a process, and all that it starts in its group, under the guardian's eyes."""
        line = f"{process.pid} {int(part.program.stop_signals[0])}\n"
        with suppress(BrokenPipeError):
            os.write(self._pipe, line.encode())

    def dismiss(self) -> None:
        """Let the guardian go, after everything has been stopped."""
        os.close(self._pipe)
        self._guardian.wait()
