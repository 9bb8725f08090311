"""The servers of the measurements: a Kafka, a durable PostgreSQL, and fresh databases."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import psycopg
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from psycopg import Connection
from psycopg.conninfo import make_conninfo

from deploy.kafka import topics
from deploy.kafka.topic_declarations import agencies_of, declared_topics
from deploy.local.servers import databases
from deploy.local.servers.databases import OwnDatabase
from deploy.local.servers.temporary import child_kafka, child_postgres
from shared.kit.database.database import Database
from shared.kit.kafka.access import KafkaAccess
from shared.kit.service.settings import SAMPLE_CITY


@dataclass(frozen=True, slots=True)
class Servers:
    """Addresses of the servers, and the name of a database with every migration applied."""

    kafka: KafkaAccess
    postgres: str
    template: str


@contextmanager
def start_servers() -> Iterator[Servers]:
    """Run Kafka and PostgreSQL for the length of a block; commits wait for the disk, as in production."""
    with child_kafka() as kafka, child_postgres(durable=True) as postgres:
        yield Servers(kafka, postgres, databases.make_template(postgres))


@asynccontextmanager
async def fresh_database(own: Servers, service: str) -> AsyncIterator[Database]:
    """Provide a fresh database, opened as a service."""
    with databases.own_database(own.postgres, own.template) as made:
        async with opened(made, service) as database:
            yield database


@asynccontextmanager
async def opened(own: OwnDatabase, service: str) -> AsyncIterator[Database]:
    """Open a database as a service for the length of a block."""
    database = Database(own.url(service), service)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def create_topics(kafka: KafkaAccess) -> None:
    """Create the topics of the sample city; existing ones stay."""
    await topics.create_topics(kafka, declared_topics(agencies_of(SAMPLE_CITY)))


async def make_topic(kafka: KafkaAccess, name: str) -> None:
    """Create a topic with four partitions."""
    client = AIOKafkaAdminClient(**kafka.client())
    await client.start()
    try:
        await client.create_topics([NewTopic(name, 4, 1)])
    finally:
        await client.close()


@contextmanager
def admin(own: Servers, database: str) -> Iterator[Connection[tuple[object, ...]]]:
    """Connect to a database as its administrator; the transaction commits at the end of the block."""
    with psycopg.connect(make_conninfo(own.postgres, dbname=database)) as connection:
        yield connection
