"""Keeping logs from filling the disk."""

import os
import shutil
from pathlib import Path

LARGEST_BYTES = 20 * 1024 * 1024


def bound(log: Path, largest_bytes: int = LARGEST_BYTES) -> None:
    """Once a log is too large, keep a copy of it as `.1` and empty it; the process that writes need not know.

    It must write by appending. A line that is written between the copy and the emptying is lost.
    """
    if log.exists() and log.stat().st_size > largest_bytes:
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)
