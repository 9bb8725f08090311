"""Kafka's ahead-of-time cache: Java reads Kafka's loaded and linked classes from it, and starts in half the time.

Java writes the cache at the end of a run (JEP 483 and 514). So this module runs a broker for that, on temporary data.
"""

import asyncio
import logging
import os
import secrets
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.errors import PlatformError
from deploy.local.ports import any_free
from deploy.local.processes.child_process import start_process, stop_process
from deploy.local.servers.kafka import KafkaNode, prepare_kafka
from deploy.local.servers.kafka_runtime import KafkaRuntime
from deploy.local.state import take_lock
from deploy.readiness import wait_for_kafka

log = logging.getLogger(__name__)

_WRITTEN_WITHIN_SECONDS = 120.0


def needs_aot_cache(runtime: KafkaRuntime) -> bool:
    """Return whether this Java can write an ahead-of-time cache and has no valid one."""
    return runtime.aot_cache is not None and not runtime.has_valid_aot_cache


def build_aot_cache(runtime: KafkaRuntime) -> None:
    """Write the ahead-of-time cache. Kafka also starts without it, so a failure is only a warning."""
    cache = runtime.aot_cache
    if cache is None:
        return
    try:
        _build(runtime, cache)
    except (PlatformError, OSError) as error:
        log.warning("Kafka's ahead-of-time cache is not written, so Kafka starts more slowly: %s", error)


def _build(runtime: KafkaRuntime, cache: Path) -> None:
    lock = take_lock(cache.with_suffix(".lock"))
    if lock is None:
        return  # another process is writing the cache
    try:
        with TemporaryDirectory(dir=runtime.jars, prefix=".classes-") as folder:
            _run_broker(runtime, Path(folder)).replace(cache)
    finally:
        os.close(lock)


def _run_broker(runtime: KafkaRuntime, folder: Path) -> Path:
    """Run a broker in a folder until it is ready, stop it, and return the cache that Java wrote."""
    cache = folder / "classes.aot"
    port, controller_port = any_free(2)
    node = KafkaNode(folder / "kafka", port, controller_port, secrets.token_urlsafe(24))
    spec = prepare_kafka(node, runtime, new_cache=cache)
    process = start_process(spec, folder / "kafka.log")
    try:
        asyncio.run(wait_for_kafka(node.access))
    finally:
        stop_process(process, spec, _WRITTEN_WITHIN_SECONDS)
    return cache
