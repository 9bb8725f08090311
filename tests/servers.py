"""The Kafka and PostgreSQL that tests run on: child processes, containers, or servers that are there already."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.ports import any_free
from deploy.local.processes.child_process import ProcessSpec, start_process, stop_process
from deploy.local.servers.aot_cache import build_aot_cache, needs_aot_cache
from deploy.local.servers.kafka import KafkaNode, prepare_kafka
from deploy.local.servers.kafka_jars import ensure_jars
from deploy.local.servers.kafka_runtime import KafkaRuntime, find_runtime
from deploy.local.servers.postgres import ADMIN, PostgresNode, prepare_postgres
from deploy.readiness import wait_for_kafka, wait_for_postgres
from shared.kit.kafka.access import KafkaAccess

KAFKA_IMAGE = "apache/kafka:4.3.0"
POSTGRES_IMAGE = "postgres:18"


@contextmanager
def kafka() -> Iterator[KafkaAccess]:
    """Run a Kafka, or use the one that HANDOFF_TEST_KAFKA_BOOTSTRAP names."""
    given = os.environ.get("HANDOFF_TEST_KAFKA_BOOTSTRAP")
    if given:
        yield KafkaAccess(given)
        return
    with _docker_kafka() if _in_docker() else child_kafka() as access:
        yield access


@contextmanager
def postgres() -> Iterator[str]:
    """Run a PostgreSQL, or use the one that HANDOFF_TEST_DATABASE_URL names; gives its administrator's address."""
    given = os.environ.get("HANDOFF_TEST_DATABASE_URL")
    if given:
        yield given
        return
    with _docker_postgres() if _in_docker() else child_postgres() as url:
        yield url


@contextmanager
def child_kafka() -> Iterator[KafkaAccess]:
    """Run Kafka as a child process on a free port, with its data in a folder that is gone afterwards."""
    runtime = kafka_runtime()
    port, controller_port = any_free(2)
    with temporary_folder() as folder:
        node = KafkaNode(folder / "kafka", port, controller_port, password="tests")
        with running(prepare_kafka(node, runtime), folder / "kafka.log"):
            asyncio.run(wait_for_kafka(node.access))
            yield node.access


def kafka_runtime() -> KafkaRuntime:
    """What runs Kafka here; the first time on a machine it is fetched and prepared."""
    runtime = find_runtime()
    ensure_jars(runtime.jars)
    if needs_aot_cache(runtime):
        build_aot_cache(runtime)
    return runtime


@contextmanager
def child_postgres(*, durable: bool = False) -> Iterator[str]:
    """Run PostgreSQL as a child process on a free port; unless it is durable, commits do not wait for the disk."""
    with temporary_folder() as folder:
        node = PostgresNode(folder / "postgres", any_free(1)[0], password="tests", durable=durable)
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
    """Make a folder that is gone after the block; outside of pytest's own, which only its owner may enter."""
    folder = Path(tempfile.mkdtemp(prefix="handoff-tests-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _in_docker() -> bool:
    return os.environ.get("HANDOFF_TEST_SERVERS") == "docker"


@contextmanager
def _docker_kafka() -> Iterator[KafkaAccess]:
    from tests.containers import kafka_container  # noqa: PLC0415 - slow to import, and for containers only

    with kafka_container(KAFKA_IMAGE) as bootstrap:
        access = KafkaAccess(bootstrap)
        asyncio.run(wait_for_kafka(access))
        yield access


@contextmanager
def _docker_postgres() -> Iterator[str]:
    from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415 - the same

    container = PostgresContainer(POSTGRES_IMAGE, username=ADMIN, password="tests", dbname="postgres", driver=None)
    with container.with_command(["postgres", "-c", "fsync=off"]):
        yield container.get_connection_url()
