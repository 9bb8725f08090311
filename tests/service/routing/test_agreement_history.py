"""Every version of every agreement is kept, and what was decided by at any moment can be found again."""

import tomllib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import psycopg
import pytest

from deploy.local.servers.databases import OwnDatabase
from services.routing.store.agreements import (
    AgreementText,
    ChangedAgreementError,
    PolicySet,
    as_of,
    list_agreements_in,
    record_policy_set,
)
from services.routing.tables import SCHEMA
from shared.city.reader import read_agreements
from shared.kit.database.database import Database
from shared.kit.service.settings import SAMPLE_CITY
from shared.policy.agreements import Agreement

pytestmark = pytest.mark.servers

FILES = read_agreements(SAMPLE_CITY / "agreements").files
WRITTEN = {file.content.id: AgreementText(file.content, file.text) for file in FILES}
SHELTER, REPAIRS = WRITTEN["shelter-beds"], WRITTEN["emergency-repairs"]


def changed(written: AgreementText, right: str, wrong: str) -> AgreementText:
    """The same agreement with something else in its text."""
    assert right in written.text
    text = written.text.replace(right, wrong, 1)
    return AgreementText(Agreement.model_validate(tomllib.loads(text)), text)


def a_set(name: str, *agreements: AgreementText) -> PolicySet:
    return PolicySet(name, agreements, "permit (principal, action, resource);")


@pytest.fixture
async def kept(database: OwnDatabase) -> AsyncIterator[Database]:
    """Open a database of its own as routing."""
    opened = Database(database.url("routing"), SCHEMA)
    await opened.open()
    yield opened
    await opened.close()


async def record(kept: Database, used: PolicySet) -> datetime:
    """Start with a set, and return a moment at which it is in force."""
    async with kept.transaction() as tx:
        await record_policy_set(tx, used)
    async with kept.transaction() as tx:
        row = await (await tx.execute("SELECT clock_timestamp()")).fetchone()
    assert row is not None
    return datetime.fromisoformat(str(row[0]))


async def ids_at(kept: Database, moment: datetime) -> list[tuple[str, int]]:
    async with kept.transaction() as tx:
        return [(agreement.id, agreement.version) for agreement in await as_of(tx, moment)]


async def count(kept: Database, table: str) -> int:
    async with kept.transaction() as tx:
        row = await (await tx.execute(f"SELECT count(*) FROM {table}".encode())).fetchone()
    return int(row[0]) if row else -1


async def test_what_is_recorded_is_found_as_it_was(kept: Database) -> None:
    moment = await record(kept, a_set("one", *WRITTEN.values()))
    async with kept.transaction() as tx:
        found = await as_of(tx, moment)
        assert found == await list_agreements_in(tx, "one")
    assert found == sorted((file.content for file in FILES), key=lambda agreement: agreement.id)


async def test_starting_again_with_the_same_adds_nothing(kept: Database) -> None:
    for _ in range(3):
        await record(kept, a_set("one", SHELTER, REPAIRS))
    assert [await count(kept, name) for name in ("agreements", "policy_sets", "policy_set_uses")] == [2, 1, 1]


async def test_each_moment_has_the_agreements_that_were_decided_by_then(kept: Database) -> None:
    before = datetime(2020, 1, 1, tzinfo=UTC)
    both = await record(kept, a_set("one", SHELTER, REPAIRS))
    new_version = await record(kept, a_set("two", changed(SHELTER, "version = 1", "version = 2"), REPAIRS))
    removed = await record(kept, a_set("three", REPAIRS))
    back = await record(kept, a_set("one", SHELTER, REPAIRS))
    assert await ids_at(kept, before) == []
    assert await ids_at(kept, both) == [("emergency-repairs", 1), ("shelter-beds", 1)]
    assert await ids_at(kept, new_version) == [("emergency-repairs", 1), ("shelter-beds", 2)]
    assert await ids_at(kept, removed) == [("emergency-repairs", 1)]
    assert await ids_at(kept, back) == await ids_at(kept, both)
    assert await count(kept, "agreements") == 3


async def test_a_version_with_other_content_is_refused_and_changes_nothing(kept: Database) -> None:
    moment = await record(kept, a_set("one", SHELTER, REPAIRS))
    with pytest.raises(ChangedAgreementError, match=r"Agreement shelter-beds has changed.* version 2\."):
        await record(
            kept, a_set("two", changed(SHELTER, "retain_days = 90", "retain_days = 9999"), WRITTEN["housing-police"])
        )
    assert await count(kept, "policy_sets") == 1
    assert await count(kept, "agreements") == 2
    assert await ids_at(kept, moment) == [("emergency-repairs", 1), ("shelter-beds", 1)]


async def test_remarks_and_spaces_may_change_within_a_version(kept: Database) -> None:
    await record(kept, a_set("one", SHELTER))
    moment = await record(kept, a_set("one", changed(SHELTER, "#:schema", "#  another remark\n\n#:schema")))
    async with kept.transaction() as tx:
        assert await as_of(tx, moment) == [SHELTER.agreement]


@pytest.mark.parametrize("statement", ["DELETE FROM agreements", "UPDATE policy_sets SET policies = ''"])
async def test_routing_itself_cannot_change_the_history(kept: Database, statement: str) -> None:
    await record(kept, a_set("one", SHELTER))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with kept.transaction() as tx:
            await tx.execute(statement.encode())
