"""The sequencer on a real database: each receipt gets one place in one tree, with several instances and failures."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from services.routing.store.ledger import DamagedLedgerError, lock_ledger
from services.routing.store.receipts import place_receipts
from services.routing.workers.ledger_sequencer import LedgerSequencer, sequence
from shared.events.disclosures import Ground
from shared.kit.database.database import Database
from shared.policy.receipts import facts_of, leaf_of
from tests.eventually import PATIENCE_SECONDS
from tests.service.routing.harness import RoutingHarness
from tests.service.routing.ledgers import SIGNER, give, leaf_data, sequence_all, sign_now
from tests.service.routing.receipts import insert_receipts, receipt, receipt_id
from tests.unit.policy.trees import naive_root

pytestmark = pytest.mark.servers


def places(harness: RoutingHarness) -> list[tuple[int | None, object]]:
    """Each receipt with its place, in order."""
    return harness.rows("SELECT place, receipt_id FROM receipts ORDER BY place")


def tree(harness: RoutingHarness) -> list[tuple[int, int, bytes]]:
    """The nodes that are kept."""
    return harness.rows("SELECT level, number, hash FROM ledger_nodes ORDER BY level, number")


async def test_receipts_get_places_from_the_oldest_on(harness: RoutingHarness) -> None:
    await give(harness, receipt(2), receipt(0))
    await give(harness, receipt(1))
    await sequence_all(harness.database)
    assert places(harness) == [(number, receipt_id(number)) for number in range(3)]


@pytest.mark.parametrize("most", [1, 3, 1000])
async def test_however_they_are_batched_the_tree_is_the_one_over_all_receipts(
    harness: RoutingHarness, most: int
) -> None:
    await give(harness, *map(receipt, range(21)))
    await sequence_all(harness.database, most)
    await give(harness, *map(receipt, range(21, 30)))
    await sequence_all(harness.database, most)
    assert (await sign_now(harness)).root == naive_root(leaf_data(30))
    assert len(tree(harness)) == 30 + 15 + 7 + 3 + 1


async def test_what_is_hashed_is_what_was_given_whatever_is_in_it(harness: RoutingHarness) -> None:
    strange = receipt(
        5,
        referral_id=None,
        given_at=datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC),
        groups=('a "quoted" group', "back\\slash", "{braces}", "", "NULL", "comma, space"),
        grounds=(
            Ground(kind="consent", id='tab\t"quote"\n\\', version=None),
            Ground(kind="agreement", id="é", version=3),
        ),
        purpose="two\nlines\tand a tab \\N",
        digest=bytes(range(256)),
        shown_from=datetime(2026, 4, 1, tzinfo=UTC),
    )
    await give(harness, strange)
    await sequence_all(harness.database)
    assert tree(harness) == [(0, 0, leaf_of(facts_of(strange)))]


async def test_several_sequencers_at_once_make_one_tree(harness: RoutingHarness) -> None:
    others = [Database(harness.own.url("routing"), "routing") for _ in range(3)]
    for other in others:
        await other.open()
    try:
        await give(harness, *map(receipt, range(200)))
        await asyncio.gather(*(sequence_all(each, 7) for each in [harness.database, *others] * 2))
        await sequence_all(harness.database)
    finally:
        for other in others:
            await other.close()
    assert [place for place, _ in places(harness)] == [*range(200)]
    assert (await sign_now(harness)).root == naive_root(leaf_data(200))


async def test_writers_and_sequencers_never_wait_for_one_another(harness: RoutingHarness) -> None:
    await give(harness, receipt(1))
    async with harness.database.transaction() as writing:
        await insert_receipts(writing, [receipt(0)])
        assert await sequence(harness.database) == 1
        async with harness.database.transaction() as sequencing:
            assert await lock_ledger(sequencing)
            await give(harness, receipt(2))
            assert await sequence(harness.database) == 0, "another sequencer is at it"
    await sequence_all(harness.database)
    assert places(harness) == [(0, receipt_id(1)), (1, receipt_id(0)), (2, receipt_id(2))]


async def test_a_sequencer_that_dies_half_way_has_done_nothing(harness: RoutingHarness) -> None:
    await give(harness, *map(receipt, range(10)))
    with suppress(psycopg.OperationalError):
        async with harness.database.transaction() as tx:
            assert await lock_ledger(tx)
            assert len(await place_receipts(tx, 0, 5)) == 5
            with psycopg.connect(harness.own.admin_url, autocommit=True) as admin:
                admin.execute("SELECT pg_terminate_backend(%s)", (tx.info.backend_pid,))
    assert (tree(harness), {place for place, _ in places(harness)}) == ([], {None})
    await sequence_all(harness.database, 3)
    assert (await sign_now(harness)).root == naive_root(leaf_data(10))


async def test_what_was_signed_and_is_gone_stops_the_ledger(harness: RoutingHarness) -> None:
    await give(harness, *map(receipt, range(10)))
    await sequence_all(harness.database)
    await sign_now(harness)
    harness.execute("DELETE FROM ledger_nodes WHERE (number + 1) << level > 8", "DELETE FROM receipts WHERE place >= 8")
    await give(harness, receipt(10))
    with pytest.raises(DamagedLedgerError, match="10 receipts were signed, and only 8"):
        await sequence(harness.database)
    with pytest.raises(DamagedLedgerError):
        await sign_now(harness)
    assert harness.rows("SELECT count(*) FROM receipts WHERE place IS NULL") == [(1,)]


async def test_nothing_is_signed_over_a_past_that_was_changed(harness: RoutingHarness) -> None:
    await give(harness, *map(receipt, range(10)))
    await sequence_all(harness.database)
    await sign_now(harness)
    harness.execute("UPDATE ledger_nodes SET hash = sha256(hash) WHERE level = 3")
    await give(harness, receipt(10))
    await sequence_all(harness.database)
    with pytest.raises(DamagedLedgerError, match="the first 10 receipts are not those that were signed"):
        await sign_now(harness)
    assert harness.rows("SELECT tree_size FROM checkpoints") == [(10,)]


async def test_a_receipt_without_a_place_raises_an_alarm(
    harness: RoutingHarness, caplog: pytest.LogCaptureFixture
) -> None:
    sequencer = LedgerSequencer(harness.database, SIGNER)
    fresh = receipt(0, given_at=datetime.now(UTC) - timedelta(seconds=20))
    await give(harness, fresh)
    assert await sequencer.problem() is None
    assert 19 < (await sequencer.figures())["ledger_oldest_unplaced_seconds"] < 50
    await give(harness, receipt(1, given_at=datetime.now(UTC) - timedelta(seconds=75)))
    assert "has waited 7" in str(await sequencer.problem())
    watching = asyncio.create_task(sequencer.watch())
    await asyncio.sleep(0.2)
    watching.cancel()
    assert [line.levelname for line in caplog.records if "has waited" in line.message] == ["CRITICAL"]
    await sequence_all(harness.database)
    assert await sequencer.problem() is None
    assert await sequencer.figures() == {"ledger_oldest_unplaced_seconds": 0.0}


async def test_the_loop_is_woken_by_commits_and_has_the_ledger_signed(harness: RoutingHarness) -> None:
    sequencer = LedgerSequencer(harness.database, SIGNER, idle_seconds=3600)
    running = asyncio.create_task(sequencer.run())
    try:
        for number in range(3):
            await give(harness, receipt(number))
            async with asyncio.timeout(PATIENCE_SECONDS):
                while harness.rows("SELECT FROM receipts WHERE place IS NULL"):
                    await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)
        assert harness.rows("SELECT count(*) FROM checkpoints") == [(1,)], "the next is due in an hour"
        assert await sequencer.problem() is None
    finally:
        running.cancel()


async def test_what_stops_the_ledger_is_said_until_it_is_over(harness: RoutingHarness) -> None:
    sequencer = LedgerSequencer(harness.database, SIGNER)
    harness.execute("REVOKE INSERT ON ledger_nodes FROM handoff_routing")
    await give(harness, receipt(0))
    running = asyncio.create_task(sequencer.run())
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while "InsufficientPrivilege" not in str(sequencer._problems):
                await asyncio.sleep(0.02)
        assert places(harness) == [(None, receipt_id(0))]
        harness.execute("GRANT INSERT ON ledger_nodes TO handoff_routing")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while sequencer._problems:
                await asyncio.sleep(0.02)
        assert places(harness) == [(0, receipt_id(0))]
    finally:
        running.cancel()
