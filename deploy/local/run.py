"""Running a platform in this process until a signal comes: `python -m deploy.local.run DATA_DIR`."""

import asyncio
import os
import signal
import sys
from datetime import datetime
from pathlib import Path

from deploy.local import lock
from deploy.local.problems import LocalPlatformError
from deploy.local.settings import PlatformSettings, settings_from
from deploy.local.supervisor import Supervisor, Voice

_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class AlreadyRunningError(LocalPlatformError):
    """Somebody runs a platform on this data folder."""


def run_platform(settings: PlatformSettings, voice: Voice) -> None:
    """Run until Ctrl-C, SIGTERM or SIGHUP, and stop everything; a second signal stops it at once.

    Raises:
        AlreadyRunningError: a platform runs on this data folder.
        LocalPlatformError: the platform cannot be started.
    """
    settings.folder.make()
    handle = lock.take(settings.folder.lock)
    if handle is None:
        raise AlreadyRunningError(f"A platform runs on {settings.folder.path} already.")
    # The lock is never let go here: the system does it when this process has ended, and not a moment before.
    asyncio.run(_run_until_told(settings, handle, voice))


async def _run_until_told(settings: PlatformSettings, handle: int, voice: Voice) -> None:
    supervisor = Supervisor(settings, handle, voice)
    work = asyncio.create_task(supervisor.run())
    told: list[None] = []

    def stop() -> None:
        if told:
            supervisor.kill()
        else:
            voice.tell("Stopping ...")
            work.cancel()
        told.append(None)

    for number in _STOPS:
        asyncio.get_running_loop().add_signal_handler(number, stop)
    try:
        await work
    except asyncio.CancelledError:
        return


def main() -> None:
    """Run the platform of the folder that is given; speak on standard output."""
    settings = settings_from(os.environ, Path(sys.argv[1]))
    voice = Voice(tell=_write, ready=lambda _: _write("Ready."))
    try:
        run_platform(settings, voice)
    except LocalPlatformError as error:
        sys.exit(str(error))


def _write(news: str) -> None:
    sys.stdout.write(f"{datetime.now().astimezone():%H:%M:%S} {news}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
