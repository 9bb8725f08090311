"""Where things are kept on this machine."""

import os
from pathlib import Path

from platformdirs import user_cache_path


def cache_folder() -> Path:
    """What can be downloaded again: the user's cache folder, or what HANDOFF_CACHE_DIR names."""
    chosen = os.environ.get("HANDOFF_CACHE_DIR")
    return Path(chosen) if chosen else user_cache_path("handoff", appauthor=False)


def kafka_jars_folder() -> Path:
    """Where the jars of Apache Kafka are kept; jars put there by hand are used, if they are the pinned ones."""
    return cache_folder() / "kafka-4.3.0"
