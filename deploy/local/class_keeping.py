"""Keeping Kafka's classes: loaded and linked once on a machine, and read back at each start, which takes half the time.

Java does it (JEP 483 and 514): at the end of a run it writes down what it had loaded. So a broker is run for that, on
data that are thrown away.
"""

import asyncio
import logging
import os
import secrets
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.local import lock, processes
from deploy.local.kafka import KafkaNode, prepare_kafka
from deploy.local.kafka_runtime import KafkaRuntime
from deploy.local.ports import any_free
from deploy.local.problems import LocalPlatformError
from deploy.local.readiness import wait_for_kafka

log = logging.getLogger(__name__)

_KEPT_WITHIN_SECONDS = 120.0


def should_keep_classes(runtime: KafkaRuntime) -> bool:
    """Whether this Java could keep Kafka's classes, and has not."""
    return runtime.kept_classes is not None and not runtime.has_kept_classes


def keep_classes(runtime: KafkaRuntime) -> None:
    """Keep Kafka's classes; without them it starts all the same, so whatever prevents it is only a warning."""
    kept = runtime.kept_classes
    if kept is None:
        return
    try:
        _keep(runtime, kept)
    except (LocalPlatformError, OSError) as error:
        log.warning("Kafka's classes are not kept, so it starts more slowly: %s", error)


def _keep(runtime: KafkaRuntime, kept: Path) -> None:
    handle = lock.take(kept.with_suffix(".lock"))
    if handle is None:
        return  # somebody is at it
    try:
        with TemporaryDirectory(dir=runtime.jars, prefix=".classes-") as folder:
            _run(runtime, Path(folder)).replace(kept)
    finally:
        os.close(handle)


def _run(runtime: KafkaRuntime, folder: Path) -> Path:
    """Run a broker in a folder until it is ready, and stop it; return what its Java has kept."""
    kept = folder / "classes.aot"
    port, controller_port = any_free(2)
    node = KafkaNode(folder / "kafka", port, controller_port, secrets.token_urlsafe(24))
    program = prepare_kafka(node, runtime, keep=kept)
    process = processes.start(program, folder / "kafka.log")
    try:
        asyncio.run(wait_for_kafka(node.access))
    finally:
        processes.stop(process, program, _KEPT_WITHIN_SECONDS)
    return kept
