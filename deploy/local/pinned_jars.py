"""Which jars Apache Kafka runs with: their Maven coordinates, and the digests that their bytes must have.

The list is what `org.apache.kafka:kafka_2.13` asks for by itself, and a logging backend. Resolved in one go, that
backend's parent would push older versions of Kafka's own client and of Jackson under the server.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

_PINS = Path(__file__).with_name("kafka-jars.sha256")


@dataclass(frozen=True)
class PinnedJar:
    """One jar: its Maven coordinates, and the SHA-256 that its bytes must have."""

    sha256: str
    group: str
    artifact: str
    version: str

    @property
    def file_name(self) -> str:
        """The name that the jar has in the cache folder."""
        return f"{self.artifact}-{self.version}.jar"


def pinned_jars() -> list[PinnedJar]:
    """The jars that this version of Handoff runs Kafka with."""
    lines = _PINS.read_text(encoding="utf-8").splitlines()
    pairs = (line.split() for line in lines if line)
    return [PinnedJar(sha256, *coordinates.split(":")) for sha256, coordinates in pairs]


def is_pinned(path: Path, jar: PinnedJar) -> bool:
    """Whether the file is there and its digest is the pinned one."""
    if not path.is_file():
        return False
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == jar.sha256
