"""Processes of the product, and of what it is measured against, each on a port of its own."""

import os
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from bench.cases import MASTER_KEY
from bench.servers import Servers
from deploy.local.ports import any_free
from deploy.local.servers.databases import OwnDatabase

API_KEY = "hk_bench"


@contextmanager
def service(name: str, own: Servers, database: OwnDatabase, **more: str) -> Iterator[int]:
    """Run one service until the end of the block; gives its port once it is ready."""
    [port] = any_free(1)
    with TemporaryDirectory() as folder:
        key = Path(folder, "key")
        key.write_text(b64encode(MASTER_KEY).decode())
        settings = {
            "HANDOFF_DATABASE_URL": database.url(name),
            **own.kafka.environment(),
            "HANDOFF_HTTP_PORT": str(port),
            "HANDOFF_MASTER_KEY_FILE": str(key),
            "HANDOFF_LEDGER_KEY_FILE": str(key),
            "HANDOFF_API_KEY": API_KEY,
            "HANDOFF_STAFF_KEY": "bench",
            **more,
        }
        with _process(("-m", f"services.{name}"), settings):
            _wait(f"http://127.0.0.1:{port}/health/ready")
            yield port


@contextmanager
def script(module: str, *words: str, **told: str) -> Iterator[int]:
    """Run a module of ours with a port, these words and settings, until the end of the block."""
    [port] = any_free(1)
    with _process(("-m", module, str(port), *words), told):
        _wait(f"http://127.0.0.1:{port}/", method="POST")
        yield port


@contextmanager
def background(module: str, *words: str, **told: str) -> Iterator[None]:
    """Run a module of ours that serves nothing, until the end of the block."""
    with _process(("-m", module, *words), told):
        yield


@contextmanager
def _process(words: tuple[str, ...], settings: Mapping[str, str]) -> Iterator[None]:
    environment = {**os.environ, **settings}
    with subprocess.Popen((sys.executable, *words), env=environment, stderr=subprocess.DEVNULL) as process:  # noqa: S603
        try:
            yield
        finally:
            process.terminate()


def _wait(url: str, method: str = "GET") -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            if httpx.request(method, url, timeout=2).status_code in {200, 201}:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError(f"{url} is not ready")
