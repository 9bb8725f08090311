"""Verifies the ledger, or one receipt, with nothing but what it says and the keys that the reader trusts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from deploy.cli.ledger_client import Extent, KeptCheckpoint, LedgerClient, ShownReceipt
from shared.policy.audit import INSERTED, LedgerAudit, LedgerFinding
from shared.policy.checkpoint import NoteError, Verifier, open_checkpoint
from shared.policy.proofs import TreeHead, is_included
from shared.policy.receipts import leaf_of

Progress = Callable[[int, int], None]
"""Is told how many receipts of how many have been looked at."""

STRAY_NODE: Final = "a node that is not part of the tree"


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at, and all that is wrong, in words."""

    receipts: int
    checkpoints: int
    waiting: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trust:
    """What the reader brings along: keys, and checkpoints of earlier days by where they were kept."""

    keys: Sequence[Verifier]
    earlier: Mapping[str, str]


def verify(ledger: LedgerClient, trust: Trust, progress: Progress) -> Report:
    """Compute the whole ledger anew, and hold it against what is kept and what was signed.

    Checkpoints are read first: what is added meanwhile makes the ledger longer than they say, never shorter.
    """
    problems: list[str] = []
    kept = [*ledger.checkpoints()]
    signed = [*_open_kept(kept, trust, problems), *_open_earlier(trust, problems)]
    extent = ledger.extent()
    audit = LedgerAudit(signed)
    for page in ledger.pages(extent.size):
        audit.take(page)
        progress(page.span.end, extent.size)
    problems += [describe(finding) for finding in [*audit.finish(), *_strays(extent)]]
    return Report(extent.size, len(kept), extent.waiting, tuple(problems))


def check(shown: ShownReceipt, keys: Sequence[Verifier]) -> str | None:
    """Say why a receipt is not proven to be in the ledger; None when it is."""
    if shown.place is None or shown.checkpoint is None:
        return "it has not been signed yet"
    try:
        tree = open_checkpoint(shown.checkpoint, keys).tree
    except NoteError as error:
        return f"the checkpoint cannot be trusted: {error}"
    if not is_included(leaf_of(shown.facts), shown.place, tree, shown.path):
        return f"its proof does not lead to what was signed at {tree.size:,} receipts"
    return None


def describe(finding: LedgerFinding) -> str:
    """Say what is wrong, and where."""
    first, last, what = finding
    return f"place {first}: {what}" if first == last else f"places {first} to {last}: {what}"


def _open_kept(kept: Sequence[KeptCheckpoint], trust: Trust, problems: list[str]) -> Iterator[TreeHead]:
    """Go through the checkpoints that routing keeps; one that is not as it was signed is a problem."""
    for each in kept:
        name = f"checkpoint at {each.tree.size} receipts"
        try:
            tree = open_checkpoint(each.note, trust.keys).tree
        except NoteError as error:
            problems.append(f"{name}: {error}")
            continue
        if tree != each.tree:
            problems.append(f"{name}: what is kept beside the signature is not what was signed")
        yield tree


def _open_earlier(trust: Trust, problems: list[str]) -> Iterator[TreeHead]:
    for where, note in trust.earlier.items():
        try:
            yield open_checkpoint(note, trust.keys).tree
        except NoteError as error:
            problems.append(f"checkpoint in {where}: {error}")


def _strays(extent: Extent) -> Iterator[LedgerFinding]:
    for place in extent.stray_places:
        yield LedgerFinding(place, place, INSERTED)
    for node in extent.stray_nodes:
        yield LedgerFinding(node.first, node.last, STRAY_NODE)
