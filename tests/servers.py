"""The Kafka and PostgreSQL that tests run on: child processes, containers, or servers that are there already."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.local.servers.postgres import ADMIN
from deploy.local.servers.temporary import child_kafka, child_postgres
from deploy.readiness import wait_for_kafka
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
