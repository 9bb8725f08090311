"""What tests ask for by name: servers shared by the whole run, a database and topics for each test."""

from collections.abc import Iterator
from typing import Any

import pytest

from deploy.local.servers import databases
from deploy.local.servers.databases import OwnDatabase
from shared.kit.kafka.access import KafkaAccess
from tests import servers
from tests.database_pool import DatabasePool
from tests.own_topics import OwnTopics
from tests.xdist_scheduler import PlatformScheduler


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: Any, log: Any) -> PlatformScheduler:
    """Share tests out so that those with servers or a city in common stay together."""
    return PlatformScheduler(config, log)


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaAccess]:
    """A Kafka that the whole run shares, as its administrator."""
    with servers.kafka() as access:
        yield access


@pytest.fixture(scope="session")
def postgres_admin_url() -> Iterator[str]:
    """Administrator's address of a PostgreSQL that the whole run shares."""
    with servers.postgres() as url:
        yield url


@pytest.fixture(scope="session")
def template_database(postgres_admin_url: str) -> Iterator[str]:
    """Name of a database with all migrations applied, made once for the run; tests clone it."""
    template = databases.make_template(postgres_admin_url)
    yield template
    databases.drop(postgres_admin_url, template)


@pytest.fixture(scope="session")
def lender(postgres_admin_url: str, template_database: str) -> Iterator[DatabasePool]:
    """Keep databases that tests have one after the other."""
    lender = DatabasePool(postgres_admin_url, template_database)
    yield lender
    lender.close()


@pytest.fixture
def database(lender: DatabasePool) -> Iterator[OwnDatabase]:
    """Give a test a database with every service's schema that no other test uses meanwhile."""
    with lender.lend() as own:
        yield own


@pytest.fixture
def topics(kafka: KafkaAccess) -> OwnTopics:
    """Make topics that only this test has."""
    return OwnTopics(kafka)
