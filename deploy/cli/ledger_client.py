"""Asks routing for the ledger, and takes nothing for granted of what it answers."""

from binascii import Error as NotBase64
from binascii import a2b_base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx

from deploy.cli.staff_client import routing_as_staff
from shared.policy.audit import LedgerPage
from shared.policy.checkpoint import NoteError, Verifier, read_verifier
from shared.policy.merkle import LeafRange, Node
from shared.policy.proofs import TreeHead
from shared.policy.receipts import Facts

TIMEOUT: Final = 60.0
PAGE: Final = 1000
"""Receipts asked for at once: as many as routing gives."""


class LedgerError(Exception):
    """The ledger cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class KeptCheckpoint:
    """A checkpoint as routing keeps it: the tree that it says it is of, and the signed note."""

    tree: TreeHead
    note: str


@dataclass(frozen=True, slots=True)
class Extent:
    """How far the ledger goes, how many receipts wait for a place, and what lies outside of the tree."""

    size: int
    waiting: int
    stray_places: tuple[int, ...]
    stray_nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ShownReceipt:
    """A receipt, and what should prove that it is in the ledger."""

    facts: Facts
    place: int | None
    path: tuple[bytes, ...]
    checkpoint: str | None


class LedgerClient:
    """The ledger as routing serves it."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def key(self) -> Verifier:
        """Return the key that the ledger is signed with, as routing tells it."""
        try:
            return read_verifier(self._ask("GET", "/ledger/key").text)
        except NoteError as error:
            raise LedgerError(f"Routing told no key: {error}.") from None

    def checkpoint(self) -> str:
        """Return the latest checkpoint."""
        return self._ask("GET", "/ledger/checkpoint").text

    def sign(self) -> str:
        """Have the ledger signed as it is now, and return the checkpoint."""
        return self._ask("POST", "/ledger/checkpoint").text

    def checkpoints(self) -> Iterator[KeptCheckpoint]:
        """Go through all checkpoints, the smallest tree first."""
        after, query = -1, ""
        while page := self._json(f"/ledger/checkpoints{query}")["checkpoints"]:
            for kept in page:
                yield KeptCheckpoint(TreeHead(int(kept["size"]), _bytes(kept["root"])), str(kept["note"]))
            if page[-1]["size"] <= after:
                raise LedgerError("Routing gives the same checkpoints again and again.")
            after, query = page[-1]["size"], f"?after={page[-1]['size']}"

    def extent(self) -> Extent:
        """Ask how far the ledger goes."""
        told = self._json("/ledger")
        nodes = tuple(Node(*node) for node in told["stray_nodes"])
        return Extent(int(told["size"]), int(told["waiting"]), tuple(told["stray_places"]), nodes)

    def pages(self, size: int) -> Iterator[LedgerPage]:
        """Go through the first `size` places."""
        for start in range(0, size, PAGE):
            span = LeafRange(start, min(start + PAGE, size))
            told = self._json(f"/ledger/receipts?from={span.start}&to={span.end}")
            receipts = [(receipt.pop("place"), receipt) for receipt in told["receipts"]]
            yield LedgerPage(
                span, receipts, {Node(level, number): _bytes(found) for level, number, found in told["nodes"]}
            )

    def receipt(self, receipt_id: str) -> ShownReceipt:
        """Ask for one receipt and its proof."""
        told = self._json(f"/ledger/receipts/{quote(receipt_id, safe='')}")
        return ShownReceipt(told["receipt"], told["place"], tuple(map(_bytes, told["path"])), told["checkpoint"])

    def _json(self, path: str) -> Any:
        try:
            return self._ask("GET", path).json()
        except ValueError:
            raise LedgerError(f"Routing gave no JSON for {path}.") from None

    def _ask(self, method: str, path: str) -> httpx.Response:
        try:
            answer = self._client.request(method, path)
        except httpx.TransportError as error:
            raise LedgerError(f"Routing does not answer ({type(error).__name__}).") from error
        if not answer.is_success:
            raise LedgerError(f"Routing answered {answer.status_code}: {_complaint(answer)}")
        return answer


@contextmanager
def open_ledger(data_dir: Path | None) -> Iterator[LedgerClient]:
    """Open the ledger that HANDOFF_ROUTING_URL and HANDOFF_STAFF_KEY name, else the one of this machine."""
    with routing_as_staff(data_dir, TIMEOUT) as client:
        yield LedgerClient(client)


def _complaint(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        return "no reason given"


def _bytes(text: str) -> bytes:
    try:
        return a2b_base64(text, strict_mode=True)
    except (NotBase64, ValueError):
        raise LedgerError("Routing gave a hash that is none.") from None
