"""Whatever is done to the ledger behind its back is found, with the place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.policy.audit import LedgerAudit, LedgerFinding, LedgerPage
from shared.policy.merkle import LeafRange, Node, append, hash_leaf, hash_pair, root_of
from shared.policy.proofs import TreeHead
from shared.policy.receipts import leaf_of

SIZE = 100
SIGNED = (0, 1, 32, 50, 77, 100)


@dataclass
class Kept:
    """A ledger as it is kept, for tests to spoil: receipts by place, and nodes."""

    receipts: dict[int, dict[str, Any]]
    nodes: dict[Node, bytes]
    leaves: int = SIZE

    def rehash(self, place: int, levels: int) -> None:
        """Compute a receipt's leaf and `levels` nodes above it again."""
        self.nodes[Node(0, place)] = leaf_of(self.receipts[place])
        for level in range(1, levels + 1):
            node = Node(level, place >> level)
            if node in self.nodes:
                left, right = Node(level - 1, 2 * node.number), Node(level - 1, 2 * node.number + 1)
                self.nodes[node] = hash_pair(self.nodes[left], self.nodes[right])


def made() -> Kept:
    """A ledger of a hundred receipts."""
    receipts = {place: {"receipt_id": str(place), "agency": "homes"} for place in range(SIZE)}
    return Kept(receipts, append(0, {}, [leaf_of(receipts[place]) for place in range(SIZE)]))


ROOTS = {size: TreeHead(size, root_of(size, made().nodes)) for size in SIGNED}


def audit(kept: Kept, signed: Sequence[TreeHead] = (*ROOTS.values(),), step: int = 13) -> list[LedgerFinding]:
    """Verify a ledger page by page."""
    auditor = LedgerAudit(signed)
    for start in range(0, kept.leaves, step):
        span = LeafRange(start, min(start + step, kept.leaves))
        nodes = {node: found for node, found in kept.nodes.items() if span.start <= node.last < span.end}
        auditor.take(LedgerPage(span, [(place, kept.receipts[place]) for place in _within(span, kept.receipts)], nodes))
    return auditor.finish()


def _within(span: LeafRange, receipts: Mapping[int, Any]) -> list[int]:
    return [place for place in receipts if span.start <= place < span.end]


def flip(kept: Kept) -> None:
    kept.receipts[41]["agency"] = "hom\x00s"


def delete(kept: Kept) -> None:
    del kept.receipts[41]


def delete_with_its_leaf(kept: Kept) -> None:
    del kept.receipts[41], kept.nodes[Node(0, 41)]


def swap(kept: Kept) -> None:
    kept.receipts[41], kept.receipts[7] = kept.receipts[7], kept.receipts[41]


def insert(kept: Kept) -> None:
    for place in range(SIZE - 1, 41, -1):
        kept.receipts[place] = kept.receipts[place - 1]
    kept.receipts[41] = {"receipt_id": "new"}


def close_up(kept: Kept) -> None:
    for place in range(41, SIZE - 1):
        kept.receipts[place] = kept.receipts[place + 1]
    del kept.receipts[SIZE - 1]


def forge_with_leaf(kept: Kept) -> None:
    flip(kept)
    kept.rehash(41, 0)


def forge_with_some_nodes(kept: Kept) -> None:
    flip(kept)
    kept.rehash(41, 3)


def forge_with_all_nodes(kept: Kept) -> None:
    flip(kept)
    kept.rehash(41, 20)


def forge_a_leaf(kept: Kept) -> None:
    kept.nodes[Node(0, 41)] = hash_leaf(b"another")


def forge_a_node(kept: Kept) -> None:
    kept.nodes[Node(3, 5)] = hash_leaf(b"another")


def lose_a_node(kept: Kept) -> None:
    del kept.nodes[Node(3, 5)]


def truncate(kept: Kept) -> None:
    kept.leaves = 90


FAULTS: dict[Callable[[Kept], None], list[tuple[int, int, str]]] = {
    flip: [(41, 41, "the receipt was changed")],
    delete: [(41, 41, "the receipt is missing")],
    delete_with_its_leaf: [(41, 41, "a node of the tree is missing"), (41, 41, "the receipt is missing")],
    swap: [(7, 7, "of place 41 is here"), (41, 41, "of place 7 is here")],
    insert: [(41, 41, "the receipt was changed"), (42, 99, "of places 41 to 98 are here")],
    close_up: [(41, 98, "of places 42 to 99 are here"), (99, 99, "the receipt is missing")],
    forge_with_leaf: [(40, 41, "does not match")],
    forge_with_some_nodes: [(32, 47, "does not match")],
    forge_with_all_nodes: [(32, 49, "signed at 50 receipts")],
    forge_a_leaf: [(40, 41, "does not match"), (41, 41, "the receipt was changed")],
    forge_a_node: [(40, 47, "does not match")],
    lose_a_node: [(40, 47, "a node of the tree is missing")],
    truncate: [(90, 99, "signed at 100 receipts")],
}


@pytest.mark.parametrize("step", [1, 7, 16, 100])
def test_an_untouched_ledger_is_found_whole(step: int) -> None:
    assert audit(made(), step=step) == []


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("step", [1, 13, 64, 100])
def test_what_is_done_to_it_is_found_with_its_place(fault: Callable[[Kept], None], step: int) -> None:
    kept = made()
    fault(kept)
    told = audit(kept, step=step)
    kept_apart = [finding for finding in told if "signed" not in finding.what or fault in _FOUND_BY_SIGNATURE]
    assert [(first, last) for first, last, _ in kept_apart] == [(first, last) for first, last, _ in FAULTS[fault]]
    assert all(words in finding.what for finding, (_, _, words) in zip(kept_apart, FAULTS[fault], strict=True))


_FOUND_BY_SIGNATURE = {forge_with_all_nodes, truncate}


def test_a_ledger_that_was_forged_from_end_to_end_differs_from_what_was_signed_before() -> None:
    kept = made()
    flip(kept)
    kept.nodes = append(0, {}, [leaf_of(kept.receipts[place]) for place in range(SIZE)])
    assert audit(kept, signed=()) == [], "without a checkpoint of one's own nothing can be known"
    assert audit(kept, signed=[ROOTS[32]]) == [], "an earlier checkpoint knows nothing of it"
    assert audit(kept, signed=[ROOTS[77]]) == [
        LedgerFinding(0, 76, "differs from the checkpoint signed at 77 receipts")
    ]


@given(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1), st.sampled_from(["change", "delete", "swap", "leaf"]))
def test_no_single_change_is_passed_over(place: int, other: int, what: str) -> None:
    kept = made()
    if what == "change":
        kept.receipts[place]["agency"] = "police"
    elif what == "delete":
        del kept.receipts[place]
    elif what == "leaf":
        kept.nodes[Node(0, place)] = hash_leaf(b"another")
    else:
        kept.receipts[place], kept.receipts[other] = kept.receipts[other], kept.receipts[place]
    found = audit(kept)
    assert bool(found) == (what != "swap" or place != other)
    assert not found or any(finding.first <= place <= finding.last for finding in found)


@given(st.sampled_from(sorted(made().nodes)))
def test_no_forged_or_lost_node_is_passed_over(node: Node) -> None:
    forged, lost = made(), made()
    forged.nodes[node] = hash_leaf(b"another")
    del lost.nodes[node]
    assert audit(forged)
    assert audit(lost)
