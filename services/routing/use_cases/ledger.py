"""Signs checkpoints of the ledger, and proves from its stored nodes what is in it (RFC 6962)."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.routing.settings import RoutingSettings
from services.routing.store.checkpoints import (
    SignedCheckpoint,
    find_latest_checkpoint,
    insert_checkpoint,
    is_recently_signed,
)
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
    """Return the signer of the ledger, with the name and key of the settings.

    Raises:
        KeyFileError: there is no usable key.
        NoteError: the ledger's name is invalid.
    """
    text = settings.ledger_key.get_secret_value() if settings.ledger_key else None
    name = settings.ledger_name or f"{settings.jurisdiction.name}/ledger"
    try:
        secret = read_key(text, settings.ledger_key_file)
    except KeyFileError as error:
        raise KeyFileError(f"no ledger key: {error}; set HANDOFF_LEDGER_KEY or HANDOFF_LEDGER_KEY_FILE") from None
    signer = Signer(name, Ed25519PrivateKey.from_private_bytes(secret))
    log.info("ledger signer: %s", signer.verifier)
    return signer


@dataclass(frozen=True, slots=True)
class Proof:
    """A receipt as its JSON, and the inclusion proof by a signed checkpoint.

    `place` is None until the sequencer has placed the receipt, `checkpoint` until a checkpoint includes it.
    """

    facts: dict[str, Any]
    place: int | None
    path: Sequence[bytes] = ()
    checkpoint: str | None = None


async def sign(tx: Transaction, signer: Signer) -> SignedCheckpoint:
    """Return a signed checkpoint of the ledger as it is now; the latest one if nothing was added since.

    The ledger is checked against the latest checkpoint first: a tree that does not extend it is never signed.

    Raises:
        DamagedLedgerError: receipts that were signed before are missing or differ.
    """
    latest, size = await find_latest_checkpoint(tx), await read_size(tx)
    if latest is not None:
        await _check_extends(tx, latest.tree, size)
    if latest is None or latest.tree.size < size:
        tree = TreeHead(size, root_of(size, await load_nodes(tx, peaks_of(size))))
        await insert_checkpoint(tx, tree, signer.sign_tree(tree))
        latest = await find_latest_checkpoint(tx)
    if latest is None:
        raise DamagedLedgerError("the checkpoint was not stored")
    return latest


async def sign_if_due(tx: Transaction, signer: Signer, every: timedelta) -> None:
    """Sign the ledger if the latest checkpoint is older than `every`.

    Raises:
        DamagedLedgerError: receipts that were signed before are missing or differ.
    """
    if not await is_recently_signed(tx, every):
        signed = await sign(tx, signer)
        log.info("ledger checkpoint signed: %d receipts", signed.tree.size)


async def prove(tx: Transaction, receipt_id: UUID) -> Proof | None:
    """Find a receipt, and prove that the latest checkpoint includes it; None for an unknown receipt.

    Raises:
        DamagedLedgerError: nodes that the proof consists of are missing.
    """
    found = await find_receipt(tx, receipt_id)
    if found is None:
        return None
    latest = await find_latest_checkpoint(tx)
    if found.place is None or latest is None or found.place >= latest.tree.size:
        return Proof(found.facts, found.place)
    path = await _hash_spans(tx, inclusion_spans(found.place, latest.tree.size))
    return Proof(found.facts, found.place, path, latest.note)


async def prove_extension(tx: Transaction, old: int, new: int) -> list[bytes] | None:
    """Prove that the tree of size `new` extends the tree of size `old`; None if the ledger is smaller than `new`.

    Raises:
        DamagedLedgerError: nodes that the proof consists of are missing.
    """
    if not 0 <= old <= new <= await read_size(tx):
        return None
    return await _hash_spans(tx, consistency_spans(old, new))


async def _check_extends(tx: Transaction, signed: TreeHead, size: int) -> None:
    if size < signed.size:
        raise DamagedLedgerError(f"{signed.size} receipts were signed, and only {size} have a place")
    if root_of(signed.size, await load_nodes(tx, peaks_of(signed.size))) != signed.root:
        raise DamagedLedgerError(f"the first {signed.size} receipts are not those that were signed")


async def _hash_spans(tx: Transaction, spans: Sequence[LeafRange]) -> list[bytes]:
    nodes = await load_nodes(tx, chain.from_iterable(nodes_under(span) for span in spans))
    return [hash_span(span, nodes) for span in spans]
