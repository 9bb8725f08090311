"""Nothing is decided before what it would be decided by is on record."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.local.servers.databases import OwnDatabase
from services.routing.handlers import subscriptions
from services.routing.store.agreements import list_agreements_in
from services.routing.tables import SCHEMA
from services.routing.workers.policy_registration import PolicyRegistration, policy_set_of
from shared.city.reader import load_agreements, read_city
from shared.events.topics import CASES
from shared.kit.consumer.consumer import Consumer
from shared.kit.database.database import Database, UnavailableError
from shared.kit.service.settings import SAMPLE_CITY
from shared.policy.decision import DisclosurePolicy
from tests.builders import report
from tests.service.routing.harness import RoutingHarness, record

pytestmark = pytest.mark.servers


@pytest.fixture
async def kept(database: OwnDatabase) -> AsyncIterator[Database]:
    """Open a database of its own as routing."""
    opened = Database(database.url("routing"), SCHEMA)
    await opened.open()
    yield opened
    await opened.close()


def sharing_in(city: Path) -> DisclosurePolicy:
    return DisclosurePolicy([file.content for file in load_agreements(city, read_city(city))])


def register_of(kept: Database, city: Path) -> PolicyRegistration:
    return PolicyRegistration(kept, policy_set_of(load_agreements(city, read_city(city)), sharing_in(city)))


async def test_what_is_on_record_may_be_decided_by(kept: Database) -> None:
    register = register_of(kept, SAMPLE_CITY)
    assert await register.problem() == "agreements: not registered yet"
    with pytest.raises(UnavailableError):
        register.check()
    await register.run()
    register.check()
    assert await register.problem() is None
    sharing = sharing_in(SAMPLE_CITY)
    async with kept.transaction() as tx:
        assert tuple(await list_agreements_in(tx, sharing.hash)) == sharing.agreements


async def test_cases_wait_until_it_is_on_record(harness: RoutingHarness) -> None:
    register = register_of(harness.database, SAMPLE_CITY)
    consumer = Consumer(
        "routing", subscriptions(replace(harness.context, check_ready=register.check))[0], harness.database
    )
    heard = [record(CASES.topic, CASES.source, report(), uuid4())]
    with pytest.raises(UnavailableError, match="not registered"):
        await consumer(heard)
    assert harness.rows("SELECT case_id FROM cases") == harness.rows("SELECT 1 FROM dead_letters") == []
    await register.run()
    await consumer(heard)
    assert len(harness.rows("SELECT case_id FROM cases")) == 1


async def test_an_agreement_that_changed_within_its_version_is_told_and_not_decided_by(
    kept: Database, tmp_path: Path
) -> None:
    await register_of(kept, SAMPLE_CITY).run()
    city = shutil.copytree(SAMPLE_CITY, tmp_path / "city")
    file = city / "agreements/shelter-beds.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("retain_days = 90", "retain_days = 91"), encoding="utf-8")
    register = register_of(kept, city)
    await register.run()
    with pytest.raises(UnavailableError, match=r"Agreement shelter-beds has changed.*version 2\."):
        register.check()
    assert "shelter-beds" in (await register.problem() or "")


async def test_several_instances_may_start_at_once(kept: Database) -> None:
    registers = [register_of(kept, SAMPLE_CITY) for _ in range(4)]
    await asyncio.gather(*(register.run() for register in registers))
    for register in registers:
        register.check()


async def test_a_database_that_is_away_is_waited_for(database: OwnDatabase) -> None:
    closed = Database("postgresql://handoff_routing@127.0.0.1:9/none", SCHEMA)
    register = register_of(closed, SAMPLE_CITY)
    await closed.open()
    try:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(register.run(), 0.5)
        with pytest.raises(UnavailableError):
            register.check()
    finally:
        await closed.close()
    assert database.name
