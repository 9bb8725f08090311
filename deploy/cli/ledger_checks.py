"""Verification of the ledger, or of one receipt, against its hash tree, its checkpoints, and the trusted keys."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from deploy.cli.ledger_client import LedgerClient, LedgerSummary, ShownReceipt, StoredCheckpoint
from shared.policy.audit import INSERTED, LedgerAudit, LedgerFinding
from shared.policy.checkpoint import NoteError, Verifier, open_checkpoint
from shared.policy.proofs import TreeHead, is_included
from shared.policy.receipts import leaf_of

Progress = Callable[[int, int], None]
"""Is called with the number of verified receipts, and the number of all."""

STRAY_NODE: Final = "a node that is not part of the tree"


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """The number of receipts and checkpoints that were verified, of receipts without a place, and the problems."""

    receipts: int
    checkpoints: int
    waiting: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrustAnchors:
    """What the verifier trusts: public keys, and earlier checkpoints, by the file that holds them."""

    keys: Sequence[Verifier]
    earlier: Mapping[str, str]


def verify(ledger: LedgerClient, trust: TrustAnchors, progress: Progress) -> LedgerReport:
    """Compute the whole tree from the receipts, and compare it with the stored nodes and the signed checkpoints.

    The checkpoints are read first: receipts that are added during the run make the ledger longer, never shorter.
    """
    problems: list[str] = []
    stored = [*ledger.checkpoints()]
    signed = [*_open_stored(stored, trust, problems), *_open_earlier(trust, problems)]
    extent = ledger.extent()
    audit = LedgerAudit(signed)
    for page in ledger.pages(extent.size):
        audit.take(page)
        progress(page.span.end, extent.size)
    problems += [describe(finding) for finding in [*audit.finish(), *_strays(extent)]]
    return LedgerReport(extent.size, len(stored), extent.waiting, tuple(problems))


def check(shown: ShownReceipt, keys: Sequence[Verifier]) -> str | None:
    """Return why a receipt is not proven to be in the ledger; None if it is proven."""
    if shown.place is None or shown.checkpoint is None:
        return "no checkpoint covers it yet"
    try:
        tree = open_checkpoint(shown.checkpoint, keys).tree
    except NoteError as error:
        return f"the checkpoint cannot be trusted: {error}"
    if not is_included(leaf_of(shown.facts), shown.place, tree, shown.path):
        return f"its proof does not lead to the root that was signed at {tree.size:,} receipts"
    return None


def describe(finding: LedgerFinding) -> str:
    """Return a finding as a sentence: the places, and the problem."""
    first, last, what = finding
    return f"place {first}: {what}" if first == last else f"places {first} to {last}: {what}"


def _open_stored(stored: Sequence[StoredCheckpoint], trust: TrustAnchors, problems: list[str]) -> Iterator[TreeHead]:
    """Yield the tree of each stored checkpoint; append to `problems` each that differs from what was signed."""
    for each in stored:
        name = f"checkpoint at {each.tree.size} receipts"
        try:
            tree = open_checkpoint(each.note, trust.keys).tree
        except NoteError as error:
            problems.append(f"{name}: {error}")
            continue
        if tree != each.tree:
            problems.append(f"{name}: the tree stored beside the signature differs from the signed one")
        yield tree


def _open_earlier(trust: TrustAnchors, problems: list[str]) -> Iterator[TreeHead]:
    for where, note in trust.earlier.items():
        try:
            yield open_checkpoint(note, trust.keys).tree
        except NoteError as error:
            problems.append(f"checkpoint in {where}: {error}")


def _strays(extent: LedgerSummary) -> Iterator[LedgerFinding]:
    for place in extent.stray_places:
        yield LedgerFinding(place, place, INSERTED)
    for node in extent.stray_nodes:
        yield LedgerFinding(node.first, node.last, STRAY_NODE)
