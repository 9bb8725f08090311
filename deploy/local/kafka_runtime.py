"""What runs Kafka on this machine: a Java, Kafka's jars, and Kafka's classes as that Java has kept them."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from deploy.local.folders import kafka_jars_folder
from deploy.local.java import find_java

# A small heap, and the quick compiler only: the thorough one costs a broker of this size more than it saves.
_JAVA_OPTIONS = (
    "-Xms64m",
    "-Xmx192m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
)
_LOGGING = Path(__file__).with_name("log4j2.yaml")
_FIRST_THAT_KEEPS = 25
"""The first version of Java that keeps loaded classes in a file by itself (JEP 514)."""


@dataclass(frozen=True)
class KafkaRuntime:
    """A Java, and the folder that holds Kafka's jars."""

    java: Path
    jars: Path

    @property
    def kept_classes(self) -> Path | None:
        """Where this Java keeps Kafka's classes; None if it is one that cannot."""
        try:
            release = (self.java.resolve().parent.parent / "release").read_bytes()
        except OSError:
            return None
        version = re.search(rb'^JAVA_VERSION="(\d+)', release, re.MULTILINE)
        if version is None or int(version[1]) < _FIRST_THAT_KEEPS:
            return None
        return self.jars / f"classes-{hashlib.sha256(release).hexdigest()[:12]}.aot"

    @property
    def has_kept_classes(self) -> bool:
        """Whether the classes that are kept are those of the jars as they lie here: Java reads no others back."""
        kept = self.kept_classes
        if kept is None or not kept.is_file():
            return False
        return all(jar.stat().st_mtime <= kept.stat().st_mtime for jar in self.jars.glob("*.jar"))

    def command(self, main_class: str, *arguments: str, keep: Path | None = None) -> tuple[str, ...]:
        """The command that runs one of Kafka's programs; it reads kept classes back, or keeps its own in `keep`."""
        logging = f"-Dlog4j2.configurationFile={_LOGGING}"
        options = (*_JAVA_OPTIONS, *self._about_classes(keep), logging, "-cp", f"{self.jars}/*")
        return (str(self.java), *options, main_class, *arguments)

    def _about_classes(self, keep: Path | None) -> tuple[str, ...]:
        """What cannot be kept or read back is no news for anybody: Java goes on without it."""
        if keep is not None:
            return (f"-XX:AOTCacheOutput={keep}", "-Xlog:aot*=off")
        if self.has_kept_classes:
            return (f"-XX:AOTCache={self.kept_classes}", "-Xlog:aot*=off")
        return ()


def find_runtime() -> KafkaRuntime:
    """What runs Kafka here.

    Raises:
        JavaMissingError: there is no Java.
    """
    return KafkaRuntime(find_java(), kafka_jars_folder())
