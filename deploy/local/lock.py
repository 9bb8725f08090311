"""The lock on a data folder: held by a supervisor and its guardian, and let go by the system when both have ended."""

import fcntl
import os
from pathlib import Path


def take(path: Path) -> int | None:
    """Take the lock and give its file descriptor, to be kept open; none if somebody holds it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock."""
    if not path.exists():
        return False
    handle = os.open(path, os.O_RDWR)
    try:
        # A shared lock: two who only look do not see each other.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
