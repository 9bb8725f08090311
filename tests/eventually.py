"""Waiting for what a running process is to do."""

import time
from collections.abc import Callable
from typing import TypeVar

import httpx
import psycopg

T = TypeVar("T")

PATIENCE_SECONDS = 60.0
"""How long to wait for what should come at once: only a hang takes longer, also on a machine busy with other tests."""


def eventually(look: Callable[[], T | None], seconds: float = PATIENCE_SECONDS) -> T:
    """Look again and again until there is something; transport errors mean that a part is not there yet."""
    until, last = time.monotonic() + seconds, ""
    while time.monotonic() < until:
        try:
            found = look()
        except (httpx.TransportError, psycopg.OperationalError) as error:
            found, last = None, repr(error)
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"it did not happen within {seconds} s {last}")
