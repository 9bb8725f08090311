"""Reaches routing as its staff: the one that the environment names, else the one of this machine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from deploy.local.settings import default_data_dir
from deploy.local.state import read_state


@contextmanager
def routing_as_staff(data_dir: Path | None, timeout_seconds: float) -> Iterator[httpx.Client]:
    """Open the routing that HANDOFF_ROUTING_URL and HANDOFF_STAFF_KEY name, else the one of this machine."""
    url, key = os.environ.get("HANDOFF_ROUTING_URL"), os.environ.get("HANDOFF_STAFF_KEY")
    if not url or not key:
        state = read_state(data_dir or default_data_dir())
        url, key = url or state.url("routing"), key or state.staff_key
    headers = {"Authorization": f"Bearer {key}"}
    # A proxy of the machine's environment has no business between us and routing.
    with httpx.Client(base_url=url, headers=headers, timeout=timeout_seconds, trust_env=False) as client:
        yield client
