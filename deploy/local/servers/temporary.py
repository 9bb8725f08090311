"""A Kafka and a PostgreSQL that run as child processes for the length of a block: for tests and measurements."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

from deploy.local.ports import any_free
from deploy.local.processes.child_process import ProcessSpec, start_process, stop_process
from deploy.local.servers.aot_cache import build_aot_cache, needs_aot_cache
from deploy.local.servers.kafka import KafkaNode, prepare_kafka
from deploy.local.servers.kafka_jars import ensure_jars
from deploy.local.servers.kafka_runtime import KafkaRuntime, find_runtime
from deploy.local.servers.postgres import PostgresNode, prepare_postgres
from deploy.readiness import wait_for_kafka, wait_for_postgres
from shared.kit.kafka.access import KafkaAccess


@contextmanager
def child_kafka() -> Iterator[KafkaAccess]:
    """Run Kafka as a child process on a free port; its data is deleted after the block."""
    runtime = kafka_runtime()
    port, controller_port = any_free(2)
    with temporary_folder() as folder:
        node = KafkaNode(folder / "kafka", port, controller_port, password=token_hex())
        with running(prepare_kafka(node, runtime), folder / "kafka.log"):
            asyncio.run(wait_for_kafka(node.access))
            yield node.access


def kafka_runtime() -> KafkaRuntime:
    """Return what runs Kafka on this machine; the first call fetches and prepares it."""
    runtime = find_runtime()
    ensure_jars(runtime.jars)
    if needs_aot_cache(runtime):
        build_aot_cache(runtime)
    return runtime


@contextmanager
def child_postgres(*, durable: bool = False) -> Iterator[str]:
    """Run PostgreSQL as a child process on a free port, and yield its administrator's address.

    Its data is deleted after the block. Commits wait for the disk only if it is `durable`.
    """
    with temporary_folder() as folder:
        node = PostgresNode(folder / "postgres", any_free(1)[0], password=token_hex(), durable=durable)
        with running(prepare_postgres(node), folder / "postgres.log"):
            wait_for_postgres(node.url())
            yield node.url()


@contextmanager
def running(program: ProcessSpec, log: Path) -> Iterator[None]:
    """Run a program for the length of a block."""
    process = start_process(program, log)
    try:
        yield
    finally:
        stop_process(process, program)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder, and delete it after the block.

    PostgreSQL started by root runs as another user, who could not enter a folder below pytest's own.
    """
    folder = Path(tempfile.mkdtemp(prefix="handoff-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
