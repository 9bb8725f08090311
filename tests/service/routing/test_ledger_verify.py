"""`handoff ledger verify`: whatever is done to the ledger behind its back is found, and said with its place."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.policy.checkpoint import Signer
from shared.policy.proofs import TreeHead
from shared.policy.receipts import facts_of, leaf_of
from tests.service.routing.harness import RoutingHarness
from tests.service.routing.ledgers import SIGNER, fill, give, leaf_data, run, sequence_all, sign_now
from tests.service.routing.receipts import receipt, receipt_id
from tests.unit.policy.trees import naive_root

pytestmark = pytest.mark.servers

REHASH = """
    WITH RECURSIVE up (level, number, hash) AS (
        SELECT 0, number, hash FROM ledger_nodes WHERE level = 0 AND number = 13
        UNION ALL
        SELECT up.level + 1, up.number / 2, sha256('\\x01'::bytea || CASE WHEN up.number % 2 = 0
            THEN up.hash || beside.hash ELSE beside.hash || up.hash END)
        FROM up JOIN ledger_nodes beside ON beside.level = up.level AND beside.number = (up.number::int # 1)
    )
    UPDATE ledger_nodes n SET hash = up.hash FROM up WHERE n.level = up.level AND n.number = up.number
"""
"""Compute every node above place 13 again."""

COPY = """
    INSERT INTO receipts SELECT gen_random_uuid(), case_id, referral_id, agency, given_at, channel, form,
        groups, grounds, purpose, policy_set, digest, shown_from, {place} FROM receipts WHERE place = 2
"""

FORGE = (
    "UPDATE receipts SET agency = 'police' WHERE place = 13",
    "UPDATE ledger_nodes SET hash = '\\x{leaf}' WHERE level = 0 AND number = 13",
)

FAULTS: dict[str, tuple[tuple[str, ...], list[str]]] = {
    "one flipped byte": (
        ("UPDATE receipts SET digest = set_byte(digest, 31, get_byte(digest, 31) # 1) WHERE place = 13",),
        ["place 13: the receipt was changed"],
    ),
    "a later time": (
        ("UPDATE receipts SET given_at = given_at + interval '1 microsecond' WHERE place = 0",),
        ["place 0: the receipt was changed"],
    ),
    "another ground": (
        ("UPDATE receipts SET grounds = jsonb_set(grounds, '{0,version}', '2') WHERE place = 19",),
        ["place 19: the receipt was changed"],
    ),
    "a word more in the grounds": (
        ("UPDATE receipts SET grounds = jsonb_set(grounds, '{0,note}', '1') WHERE place = 19",),
        ["place 19: the receipt was changed"],
    ),
    "a group less": (
        ("UPDATE receipts SET groups = groups[1:1] WHERE place = 4",),
        ["place 4: the receipt was changed"],
    ),
    "a deleted receipt": (("DELETE FROM receipts WHERE place = 13",), ["place 13: the receipt is missing"]),
    "three deleted receipts": (
        ("DELETE FROM receipts WHERE place BETWEEN 3 AND 5",),
        ["places 3 to 5: the receipt is missing"],
    ),
    "two swapped receipts": (
        (
            "UPDATE receipts SET place = 1000 WHERE place = 13",
            "UPDATE receipts SET place = 13 WHERE place = 4",
            "UPDATE receipts SET place = 4 WHERE place = 1000",
        ),
        ["place 4: the receipt of place 13 is here", "place 13: the receipt of place 4 is here"],
    ),
    "an inserted receipt": (
        (
            "UPDATE receipts SET place = place + 1000 WHERE place >= 13",
            "UPDATE receipts SET place = place - 999 WHERE place >= 1000",
            COPY.format(place=13),
        ),
        [
            "place 13: the receipt was changed",
            "places 14 to 19: the receipts of places 13 to 18 are here",
            "place 20: a receipt that is not in the tree",
        ],
    ),
    "a receipt put at the end": (
        (COPY.format(place=20),),
        ["place 20: a receipt that is not in the tree"],
    ),
    "a receipt before the first": (
        ("UPDATE receipts SET place = -1 WHERE place = 2",),
        ["place 2: the receipt is missing", "place -1: a receipt that is not in the tree"],
    ),
    "a forged receipt with its leaf": (FORGE, ["places 12 to 13: a node does not match its children"]),
    "a forged receipt with every node above it": (
        (*FORGE, REHASH),
        ["places 8 to 17: differs from the checkpoint signed at 18 receipts"],
    ),
    "a forged node": (
        ("UPDATE ledger_nodes SET hash = sha256(hash) WHERE level = 2 AND number = 1",),
        ["places 4 to 7: a node does not match its children"],
    ),
    "a lost node": (
        ("DELETE FROM ledger_nodes WHERE level = 2 AND number = 1",),
        ["places 4 to 7: a node of the tree is missing"],
    ),
    "a node too many": (
        ("INSERT INTO ledger_nodes VALUES (4, 1, '\\x00')",),
        ["places 16 to 31: a node that is not part of the tree"],
    ),
    "a tail that was cut off": (
        ("DELETE FROM receipts WHERE place >= 16", "DELETE FROM ledger_nodes WHERE (number + 1) << level > 16"),
        ["places 16 to 19: missing, but covered by the checkpoint signed at 20 receipts"],
    ),
    "a signed root that was changed": (
        ("UPDATE checkpoints SET root = sha256(root) WHERE tree_size = 8",),
        ["checkpoint at 8 receipts: the tree stored beside the signature differs from the signed one"],
    ),
    "a signed text that was changed": (
        ("UPDATE checkpoints SET note = replace(note, E'\\n8\\n', E'\\n7\\n') WHERE tree_size = 8",),
        ["checkpoint at 8 receipts: the signature does not match the text"],
    ),
}


def forged_leaf() -> str:
    """The hash of the receipt at place 13 after it was forged."""
    return leaf_of(facts_of(receipt(13, agency="police"))).hex()


async def test_an_untouched_ledger_is_found_whole(harness: RoutingHarness) -> None:
    await fill(harness, 8, 18, 20)
    result = await run(harness, "verify")
    assert (result.exit_code, result.stderr) == (0, result.stderr)
    assert result.stdout == "20 receipts, 3 checkpoints: nothing was changed, deleted, inserted or moved.\n"


async def test_an_empty_ledger_is_whole_and_what_waits_is_told(harness: RoutingHarness) -> None:
    assert (await run(harness, "verify")).stdout.startswith("0 receipts, 0 checkpoints: nothing was changed")
    await give(harness, receipt(0))
    result = await run(harness, "verify")
    assert (result.exit_code, "1 more receipts wait for their places" in result.stdout) == (0, True)


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_is_done_behind_its_back_is_found_with_its_place(harness: RoutingHarness, fault: str) -> None:
    await fill(harness, 8, 18, 20)
    statements, expected = FAULTS[fault]
    harness.execute(*(statement.replace("{leaf}", forged_leaf()) for statement in statements))
    result = await run(harness, "verify", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["problems"] == expected
    shown = await run(harness, "verify")
    assert shown.exit_code == 1
    assert expected[0] in shown.stdout
    assert "the ledger differs from what was written" in shown.stdout


async def test_a_rewritten_history_differs_from_a_checkpoint_of_ones_own(
    harness: RoutingHarness, tmp_path: Path
) -> None:
    await fill(harness, 8, 18)
    mine = tmp_path / "checkpoint"
    mine.write_text((await run(harness, "checkpoint")).stdout, encoding="utf-8")
    held = await run(harness, "verify", "--since-checkpoint", str(mine))
    assert "18 receipts, 2 checkpoints and 1 of yours: nothing was changed" in held.stdout
    harness.execute(
        "DELETE FROM ledger_nodes",
        "DELETE FROM checkpoints",
        "UPDATE receipts SET place = NULL",
        "UPDATE receipts SET agency = 'police' WHERE receipt_id = '" + str(receipt_id(13)) + "'",
    )
    await sequence_all(harness.database)
    await sign_now(harness)
    assert (await run(harness, "verify")).exit_code == 0, "the holder of the signing key can rewrite everything"
    caught = await run(harness, "verify", "--since-checkpoint", str(mine))
    assert caught.exit_code == 1
    assert "places 0 to 17: differs from the checkpoint signed at 18 receipts" in caught.stdout


async def test_a_ledger_that_was_set_back_is_shorter_than_a_checkpoint_of_ones_own(
    harness: RoutingHarness, tmp_path: Path
) -> None:
    await fill(harness, 8)
    mine = tmp_path / "checkpoint"
    mine.write_text(SIGNER.sign_tree(TreeHead(12, naive_root(leaf_data(12)))), encoding="utf-8")
    caught = await run(harness, "verify", "--since-checkpoint", str(mine))
    assert caught.exit_code == 1
    assert "places 8 to 11: missing, but covered by the checkpoint signed at 12 receipts" in caught.stdout


async def test_a_checkpoint_counts_only_under_a_key_that_the_reader_trusts(
    harness: RoutingHarness, tmp_path: Path
) -> None:
    await fill(harness, 8)
    stranger = Signer("town/ledger", Ed25519PrivateKey.from_private_bytes(bytes(32)))
    theirs = tmp_path / "checkpoint"
    theirs.write_text(stranger.sign_tree(TreeHead(8, naive_root(leaf_data(8)))), encoding="utf-8")
    refused = await run(harness, "verify", "--since-checkpoint", str(theirs))
    assert (refused.exit_code, "no signature by a known key" in refused.stdout) == (1, True)
    both = ["--key", str(stranger.verifier), "--key", str(SIGNER.verifier)]
    assert (await run(harness, "verify", "--since-checkpoint", str(theirs), *both)).exit_code == 0
    assert (await run(harness, "verify", "--key", str(stranger.verifier))).exit_code == 1


async def test_more_than_one_page_is_read_to_the_end(harness: RoutingHarness) -> None:
    await fill(harness, 1500, 2003)
    assert (await run(harness, "verify")).stdout.startswith("2,003 receipts, 2 checkpoints: nothing was changed")
    harness.execute("UPDATE receipts SET form = 'thin' WHERE place IN (999, 1000, 2002)")
    problems = json.loads((await run(harness, "verify", "--json")).stdout)["problems"]
    assert [problem.partition(":")[0] for problem in problems] == ["places 999 to 1000", "place 2002"]


async def test_a_receipt_is_printed_with_its_proof(harness: RoutingHarness) -> None:
    await fill(harness, 11)
    result = await run(harness, "receipt", str(receipt_id(4)))
    assert result.exit_code == 0
    assert "homes-front-door/all" in result.stdout
    assert "Proven: place 4 of the 11 signed receipts." in result.stdout


async def test_a_receipt_that_was_not_signed_yet_is_signed_when_it_is_requested(harness: RoutingHarness) -> None:
    await fill(harness, 3)
    await give(harness, receipt(3))
    waiting = await run(harness, "receipt", str(receipt_id(3)))
    assert (waiting.exit_code, "Not proven: no checkpoint covers it yet." in waiting.stdout) == (1, True)
    await sequence_all(harness.database)
    result = await run(harness, "receipt", str(receipt_id(3)), "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["proven_at_size"] == 4


async def test_a_receipt_that_was_changed_is_not_proven(harness: RoutingHarness) -> None:
    await fill(harness, 11)
    harness.execute("UPDATE receipts SET purpose = 'enforcement' WHERE place = 4")
    result = await run(harness, "receipt", str(receipt_id(4)))
    assert result.exit_code == 1
    assert "Not proven: its proof does not lead to the root that was signed at 11 receipts." in result.stdout


async def test_what_cannot_be_read_is_neither_right_nor_wrong(harness: RoutingHarness) -> None:
    for words in (["verify"], ["receipt", str(receipt_id(1))], ["checkpoint", "--now"]):
        refused = await run(harness, *words, key="wrong")
        assert (refused.exit_code, "401" in refused.stderr) == (3, True)
    unknown = await run(harness, "receipt", str(receipt_id(1)))
    assert (unknown.exit_code, "unknown receipt" in unknown.stderr) == (3, True)
    assert (await run(harness, "verify", "--key", "nonsense")).exit_code == 3


async def test_the_key_is_printed_for_others_to_check_with(harness: RoutingHarness) -> None:
    assert (await run(harness, "key")).stdout == f"{SIGNER.verifier}\n"
    assert (await run(harness, "checkpoint", "--now")).stdout.startswith("town/ledger\n0\n")
