"""Child processes: services, and the programs that they are compared with, each on its own port."""

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
    """Run one service for the length of a block; provide its port once it is ready."""
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
def script(module: str, *arguments: str, **settings: str) -> Iterator[int]:
    """Run a module with a port, arguments and environment variables for the length of a block; provide the port."""
    [port] = any_free(1)
    with _process(("-m", module, str(port), *arguments), settings):
        _wait(f"http://127.0.0.1:{port}/", method="POST")
        yield port


@contextmanager
def background(module: str, *arguments: str, **settings: str) -> Iterator[None]:
    """Run a module that serves no port for the length of a block."""
    with _process(("-m", module, *arguments), settings):
        yield


@contextmanager
def _process(arguments: tuple[str, ...], settings: Mapping[str, str]) -> Iterator[None]:
    environment = {**os.environ, **settings}
    with subprocess.Popen((sys.executable, *arguments), env=environment, stderr=subprocess.DEVNULL) as process:  # noqa: S603
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
