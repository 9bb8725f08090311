"""The jars of Apache Kafka: downloaded by their Maven coordinates, and used only if their digests are the pinned ones.

`kafka-jars.sha256` lists the dependencies of `org.apache.kafka:kafka_2.13`, and a logging backend. They were resolved
separately: together, the backend's parent POM would replace Kafka's own client and Jackson by older versions.
"""

import hashlib
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import JarsMissingError

_PINS = Path(__file__).with_name("kafka-jars.sha256")
_CONCURRENT_DOWNLOADS = 4


@dataclass(frozen=True)
class PinnedJar:
    """One jar: its Maven coordinates, and the SHA-256 digest that its bytes must have."""

    sha256: str
    group: str
    artifact: str
    version: str

    @property
    def file_name(self) -> str:
        """The name of the jar in the cache folder."""
        return f"{self.artifact}-{self.version}.jar"


@dataclass
class DownloadProgress:
    """How many jars are wanted and complete, and how many bytes have come; `report` is called after each change."""

    report: Callable[["DownloadProgress"], None] = lambda _: None
    wanted: int = 0
    completed: int = 0
    received_bytes: int = 0

    def add_bytes(self, count: int) -> None:
        """Count received bytes."""
        self.received_bytes += count
        self.report(self)

    def add_jar(self) -> None:
        """Count a jar whose digest is the pinned one."""
        self.completed += 1
        self.report(self)


def pinned_jars() -> list[PinnedJar]:
    """Return the jars that this version of Handoff runs Kafka with."""
    lines = _PINS.read_text(encoding="utf-8").splitlines()
    pairs = (line.split() for line in lines if line)
    return [PinnedJar(sha256, *coordinates.split(":")) for sha256, coordinates in pairs]


def is_pinned(path: Path, jar: PinnedJar) -> bool:
    """Return whether the file exists and has the pinned digest."""
    if not path.is_file():
        return False
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == jar.sha256


def missing_jars(folder: Path) -> list[PinnedJar]:
    """Return the pinned jars that the folder lacks, or has with another digest."""
    return [jar for jar in pinned_jars() if not is_pinned(folder / jar.file_name, jar)]


def ensure_jars(folder: Path, report: Callable[[DownloadProgress], None] = lambda _: None) -> None:
    """Download the missing jars into the folder. After an interruption the next call downloads only the rest.

    Raises:
        JarsMissingError: a jar cannot be downloaded, or has another digest than the pinned one.
    """
    missing = missing_jars(folder)
    if not missing:
        return
    from deploy.local.servers.maven import MavenDownloader  # noqa: PLC0415 - slow to import, needed once on a machine

    folder.mkdir(parents=True, exist_ok=True)
    progress = DownloadProgress(report, wanted=len(missing))
    with tempfile.TemporaryDirectory(dir=folder, prefix=".incoming-") as incoming:
        downloader = MavenDownloader(Path(incoming), progress.add_bytes)
        _download_all(missing, folder, downloader.download, progress)


def _download_all(
    missing: list[PinnedJar], folder: Path, download: Callable[[str, str, str], Path], progress: DownloadProgress
) -> None:
    def download_one(jar: PinnedJar) -> None:
        _accept(download(jar.group, jar.artifact, jar.version), jar, folder)
        progress.add_jar()

    with ThreadPoolExecutor(_CONCURRENT_DOWNLOADS) as pool:
        try:
            for _ in pool.map(download_one, missing):
                pass
        except BaseException:
            # Without this the block would wait for every download that has not begun.
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _accept(path: Path, jar: PinnedJar, folder: Path) -> None:
    """Move a downloaded jar to its place if its digest is the pinned one."""
    if not is_pinned(path, jar):
        message = f"{jar.file_name} was downloaded, but its SHA-256 digest is not the pinned one. It is not used."
        raise JarsMissingError(message)
    path.replace(folder / jar.file_name)
