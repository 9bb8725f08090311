"""The jars of Apache Kafka: fetched by their Maven coordinates, accepted only if their digest is the pinned one."""

import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deploy.local.pinned_jars import PinnedJar, is_pinned, pinned_jars
from deploy.local.problems import JarsMissingError

_DOWNLOADS_AT_ONCE = 4


@dataclass
class Progress:
    """How far the download is; `tell` hears of every change."""

    tell: Callable[["Progress"], None] = lambda _: None
    wanted: int = 0
    fetched: int = 0
    received_bytes: int = 0

    def received(self, count: int) -> None:
        """Count bytes that came in."""
        self.received_bytes += count
        self.tell(self)

    def completed(self) -> None:
        """Count a jar that is here and is the pinned one."""
        self.fetched += 1
        self.tell(self)


def missing_jars(folder: Path) -> list[PinnedJar]:
    """The pinned jars that are not in the folder, or are not what they should be."""
    return [jar for jar in pinned_jars() if not is_pinned(folder / jar.file_name, jar)]


def ensure_jars(folder: Path, tell: Callable[[Progress], None] = lambda _: None) -> None:
    """Fetch what is missing into the folder; what a download before this one brought is kept and not fetched again."""
    missing = missing_jars(folder)
    if not missing:
        return
    from deploy.local.maven import Fetcher  # noqa: PLC0415 - slow to import, and only needed once on a machine

    folder.mkdir(parents=True, exist_ok=True)
    progress = Progress(tell, wanted=len(missing))
    with tempfile.TemporaryDirectory(dir=folder, prefix=".incoming-") as incoming:
        fetcher = Fetcher(Path(incoming), progress.received)
        _fetch_all(missing, folder, fetcher.fetch, progress)


def _fetch_all(missing: list[PinnedJar], folder: Path, fetch: Callable[[PinnedJar], Path], progress: Progress) -> None:
    def fetch_one(jar: PinnedJar) -> None:
        _accept(fetch(jar), jar, folder)
        progress.completed()

    with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
        try:
            for _ in pool.map(fetch_one, missing):
                pass
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _accept(path: Path, jar: PinnedJar, folder: Path) -> None:
    """Put a fetched jar in its place, if its bytes are the pinned ones."""
    if not is_pinned(path, jar):
        message = f"{jar.file_name} was fetched, but its SHA-256 is not the pinned one. It is not used."
        raise JarsMissingError(message)
    path.replace(folder / jar.file_name)
