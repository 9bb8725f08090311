"""What is said about the ledger: signed checkpoints of it, and proofs from the nodes that are kept."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.routing.settings import RoutingSettings
from services.routing.store.checkpoints import SignedCheckpoint, add_checkpoint, find_latest, is_recently_signed
from services.routing.store.ledger import DamagedLedgerError, load_nodes, read_size
from services.routing.store.receipts import find_receipt
from shared.kit.database.database import Transaction
from shared.kit.vault.key_files import KeyFileError, read_key
from shared.policy.checkpoint import Signer
from shared.policy.merkle import (
    LeafRange,
    consistency_spans,
    hash_span,
    inclusion_spans,
    nodes_under,
    peaks_of,
    root_of,
)
from shared.policy.proofs import TreeHead

log = logging.getLogger(__name__)


def make_signer(settings: RoutingSettings) -> Signer:
    """Return what signs the ledger, as the settings say.

    Raises:
        KeyFileError: there is no key that can be used.
        NoteError: the ledger's name cannot be one.
    """
    text = settings.ledger_key.get_secret_value() if settings.ledger_key else None
    name = settings.ledger_name or f"{settings.jurisdiction.name}/ledger"
    try:
        secret = read_key(text, settings.ledger_key_file)
    except KeyFileError as error:
        raise KeyFileError(f"no ledger key: {error}; set HANDOFF_LEDGER_KEY or HANDOFF_LEDGER_KEY_FILE") from None
    signer = Signer(name, Ed25519PrivateKey.from_private_bytes(secret))
    log.info("the ledger is signed by %s", signer.verifier)
    return signer


@dataclass(frozen=True, slots=True)
class Proof:
    """A receipt as JSON has it, and what proves that it is in the ledger.

    Without a place it waits for the sequencer; without a checkpoint, for the next one that is signed.
    """

    facts: dict[str, Any]
    place: int | None
    path: Sequence[bytes] = ()
    checkpoint: str | None = None


async def sign(tx: Transaction, signer: Signer) -> SignedCheckpoint:
    """Sign the ledger as it is now, unless it is not what was signed before with more added.

    Raises:
        DamagedLedgerError: something that was signed before is no longer there as it was.
    """
    latest, size = await find_latest(tx), await read_size(tx)
    if latest is not None:
        await _check(tx, latest.tree, size)
    if latest is None or latest.tree.size < size:
        tree = TreeHead(size, root_of(size, await load_nodes(tx, peaks_of(size))))
        await add_checkpoint(tx, tree, signer.sign_tree(tree))
        latest = await find_latest(tx)
    if latest is None:
        raise DamagedLedgerError("a checkpoint was not kept")
    return latest


async def sign_if_due(tx: Transaction, signer: Signer, every: timedelta) -> None:
    """Sign the ledger where this was not done lately.

    Raises:
        DamagedLedgerError: something that was signed before is no longer there as it was.
    """
    if not await is_recently_signed(tx, every):
        signed = await sign(tx, signer)
        log.info("the ledger is signed at %d receipts", signed.tree.size)


async def prove(tx: Transaction, receipt_id: UUID) -> Proof | None:
    """Find a receipt, and prove by the latest checkpoint that it is in the ledger.

    Raises:
        DamagedLedgerError: nodes are missing that the proof consists of.
    """
    found = await find_receipt(tx, receipt_id)
    if found is None:
        return None
    latest = await find_latest(tx)
    if found.place is None or latest is None or found.place >= latest.tree.size:
        return Proof(found.facts, found.place)
    path = await _hash_spans(tx, inclusion_spans(found.place, latest.tree.size))
    return Proof(found.facts, found.place, path, latest.note)


async def prove_extension(tx: Transaction, old: int, new: int) -> list[bytes] | None:
    """Prove that the tree of size `new` extends that of size `old`; None where there are no such trees.

    Raises:
        DamagedLedgerError: nodes are missing that the proof consists of.
    """
    if not 0 <= old <= new <= await read_size(tx):
        return None
    return await _hash_spans(tx, consistency_spans(old, new))


async def _check(tx: Transaction, signed: TreeHead, size: int) -> None:
    """Hold the ledger against what was signed of it before."""
    if size < signed.size:
        raise DamagedLedgerError(f"{signed.size} receipts were signed, and only {size} have a place")
    if root_of(signed.size, await load_nodes(tx, peaks_of(signed.size))) != signed.root:
        raise DamagedLedgerError(f"the first {signed.size} receipts are not those that were signed")


async def _hash_spans(tx: Transaction, spans: Sequence[LeafRange]) -> list[bytes]:
    nodes = await load_nodes(tx, chain.from_iterable(nodes_under(span) for span in spans))
    return [hash_span(span, nodes) for span in spans]
