"""What routing serves of the ledger: checkpoints for everybody, receipts for staff, and proofs that hold."""

from base64 import b64decode
from uuid import uuid4

import pytest

from shared.policy.checkpoint import open_checkpoint, read_verifier
from shared.policy.merkle import EMPTY_ROOT
from shared.policy.proofs import TreeHead, is_included
from shared.policy.receipts import facts_of, leaf_of
from tests.merkle_proofs import is_extended
from tests.service.routing.harness import RoutingHarness
from tests.service.routing.ledgers import SIGNER, client, fill, give, leaf_data, sequence_all
from tests.service.routing.receipts import receipt, receipt_id
from tests.unit.policy.trees import naive_root

pytestmark = pytest.mark.servers

PUBLIC = ("/ledger/key", "/ledger/checkpoint", "/ledger/checkpoints", "/ledger/consistency?from=3&to=5")
STAFF_ONLY = ("/ledger", "/ledger/receipts?from=0&to=1", f"/ledger/receipts/{receipt_id(0)}")


async def test_everybody_sees_what_was_signed_and_only_staff_with_the_key_what_was_given(
    harness: RoutingHarness,
) -> None:
    await fill(harness, 3, 5)
    async with client(harness, key=None) as anybody:
        assert [(await anybody.get(path)).status_code for path in PUBLIC] == [200] * 4
        assert [(await anybody.get(path)).status_code for path in STAFF_ONLY] == [401] * 3
        assert (await anybody.post("/ledger/checkpoint")).status_code == 401
        told = "".join([(await anybody.get(path)).text for path in PUBLIC])
    assert "homes" not in told
    assert str(receipt_id(0)) not in told


async def test_a_checkpoint_is_a_signed_note_of_the_tree(harness: RoutingHarness) -> None:
    async with client(harness) as staff:
        assert (await staff.get("/ledger/checkpoint")).status_code == 404
        empty = await staff.post("/ledger/checkpoint")
        await give(harness, *map(receipt, range(7)))
        await sequence_all(harness.database)
        signed = await staff.post("/ledger/checkpoint")
        again = await staff.post("/ledger/checkpoint")
        latest = await staff.get("/ledger/checkpoint")
        key = read_verifier((await staff.get("/ledger/key")).text)
        listed = (await staff.get("/ledger/checkpoints")).json()["checkpoints"]
    assert str(key) == str(SIGNER.verifier)
    assert (signed.status_code, latest.text, again.text) == (201, signed.text, signed.text)
    assert latest.headers["content-type"] == "text/plain; charset=utf-8"
    assert open_checkpoint(empty.text, [key]).tree == TreeHead(0, EMPTY_ROOT)
    assert open_checkpoint(signed.text, [key]).tree == TreeHead(7, naive_root(leaf_data(7)))
    assert [(each["size"], each["note"]) for each in listed] == [(0, empty.text), (7, signed.text)]
    assert b64decode(listed[1]["root"]) == naive_root(leaf_data(7))


async def test_each_receipt_is_proven_by_the_latest_checkpoint(harness: RoutingHarness) -> None:
    await fill(harness, 5, 23)
    async with client(harness) as staff:
        for number in range(23):
            told = (await staff.get(f"/ledger/receipts/{receipt_id(number)}")).json()
            tree = open_checkpoint(told["checkpoint"], [SIGNER.verifier]).tree
            assert (told["receipt"], told["place"]) == (facts_of(receipt(number)), number)
            assert is_included(leaf_of(told["receipt"]), number, tree, [*map(b64decode, told["path"])])
        assert (await staff.get(f"/ledger/receipts/{uuid4()}")).status_code == 404


async def test_a_receipt_that_was_not_signed_yet_says_so(harness: RoutingHarness) -> None:
    await fill(harness, 2)
    await give(harness, receipt(2))
    async with client(harness) as staff:
        waiting = (await staff.get(f"/ledger/receipts/{receipt_id(2)}")).json()
        await sequence_all(harness.database)
        placed = (await staff.get(f"/ledger/receipts/{receipt_id(2)}")).json()
    assert (waiting["place"], waiting["checkpoint"], waiting["path"]) == (None, None, [])
    assert (placed["place"], placed["checkpoint"], placed["path"]) == (2, None, [])


async def test_each_tree_is_proven_to_extend_the_earlier_ones(harness: RoutingHarness) -> None:
    await fill(harness, 12)
    trees = [TreeHead(size, naive_root(leaf_data(size))) for size in range(13)]
    async with client(harness, key=None) as anybody:
        for old in trees:
            for new in trees[old.size :]:
                told = (await anybody.get(f"/ledger/consistency?from={old.size}&to={new.size}")).json()
                assert is_extended(old, new, [*map(b64decode, told["path"])])


@pytest.mark.parametrize(
    "path",
    [
        "/ledger/consistency",
        "/ledger/consistency?from=2&to=1",
        "/ledger/consistency?from=1&to=4",
        "/ledger/consistency?from=-1&to=3",
        "/ledger/checkpoints?after=x",
        "/ledger/receipts?from=0&to=1001",
        "/ledger/receipts?from=5&to=4",
        "/ledger/receipts?from=0",
        f"/ledger/receipts?from={9**99}&to={9**99}",
    ],
)
async def test_what_makes_no_sense_is_refused(harness: RoutingHarness, path: str) -> None:
    await fill(harness, 3)
    async with client(harness) as staff:
        assert (await staff.get(path)).status_code == 422


async def test_a_ledger_that_contradicts_itself_proves_nothing_and_signs_nothing(harness: RoutingHarness) -> None:
    await fill(harness, 9)
    harness.execute("DELETE FROM ledger_nodes WHERE level IN (1, 3)")
    async with client(harness) as staff:
        for answer in (
            await staff.get(f"/ledger/receipts/{receipt_id(8)}"),
            await staff.get("/ledger/consistency?from=3&to=9"),
            await staff.post("/ledger/checkpoint"),
        ):
            assert (answer.status_code, "handoff ledger verify" in answer.text) == (409, True)


async def test_a_database_that_is_away_is_answered_with_when_to_come_again(harness: RoutingHarness) -> None:
    await harness.database.close()
    async with client(harness) as staff:
        answer = await staff.get("/ledger/checkpoint")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
