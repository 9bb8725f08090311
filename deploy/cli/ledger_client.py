"""A client for the ledger that routing keeps. It checks the form of every answer and trusts no content."""

from binascii import Error as NotBase64
from binascii import a2b_base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx

from deploy.cli.services import find_services, reason_of
from shared.policy.audit import LedgerPage
from shared.policy.checkpoint import NoteError, Verifier, read_verifier
from shared.policy.merkle import LeafRange, Node
from shared.policy.proofs import TreeHead
from shared.policy.receipts import Facts

TIMEOUT: Final = 60.0
PAGE: Final = 1000
"""Receipts in one request: the most that routing returns."""


class LedgerError(Exception):
    """The ledger cannot be read."""


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A checkpoint as routing stores it: the tree that it names, and the signed note."""

    tree: TreeHead
    note: str


@dataclass(frozen=True, slots=True)
class LedgerSummary:
    """The number of receipts in the tree, the number that wait for a place, and what is stored outside the tree."""

    size: int
    waiting: int
    stray_places: tuple[int, ...]
    stray_nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ShownReceipt:
    """A receipt, and the proof that it is in the ledger: its place, the path to the root, and a checkpoint."""

    facts: Facts
    place: int | None
    path: tuple[bytes, ...]
    checkpoint: str | None


class LedgerClient:
    """The ledger over HTTP. Every method raises LedgerError."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def key(self) -> Verifier:
        """Return the public key of the ledger, as routing answers it."""
        try:
            return read_verifier(self._request("GET", "/ledger/key").text)
        except NoteError as error:
            raise LedgerError(f"Routing answered with an invalid key: {error}.") from None

    def checkpoint(self) -> str:
        """Return the latest checkpoint."""
        return self._request("GET", "/ledger/checkpoint").text

    def sign(self) -> str:
        """Have routing sign the ledger as it is now, and return the checkpoint."""
        return self._request("POST", "/ledger/checkpoint").text

    def checkpoints(self) -> Iterator[StoredCheckpoint]:
        """Yield all checkpoints, the smallest tree first."""
        after, query = -1, ""
        while page := self._json(f"/ledger/checkpoints{query}")["checkpoints"]:
            for stored in page:
                yield StoredCheckpoint(TreeHead(int(stored["size"]), _bytes(stored["root"])), str(stored["note"]))
            if page[-1]["size"] <= after:
                # An answer that does not move on would make this loop endless.
                raise LedgerError("Routing returned the same checkpoints twice.")
            after, query = page[-1]["size"], f"?after={page[-1]['size']}"

    def extent(self) -> LedgerSummary:
        """Return the extent of the ledger."""
        content = self._json("/ledger")
        nodes = tuple(Node(*node) for node in content["stray_nodes"])
        return LedgerSummary(int(content["size"]), int(content["waiting"]), tuple(content["stray_places"]), nodes)

    def pages(self, size: int) -> Iterator[LedgerPage]:
        """Yield the receipts and nodes of the first `size` places, page by page."""
        for start in range(0, size, PAGE):
            span = LeafRange(start, min(start + PAGE, size))
            content = self._json(f"/ledger/receipts?from={span.start}&to={span.end}")
            receipts = [(receipt.pop("place"), receipt) for receipt in content["receipts"]]
            nodes = {Node(level, number): _bytes(digest) for level, number, digest in content["nodes"]}
            yield LedgerPage(span, receipts, nodes)

    def receipt(self, receipt_id: str) -> ShownReceipt:
        """Return one receipt and its proof."""
        content = self._json(f"/ledger/receipts/{quote(receipt_id, safe='')}")
        path = tuple(map(_bytes, content["path"]))
        return ShownReceipt(content["receipt"], content["place"], path, content["checkpoint"])

    def _json(self, path: str) -> Any:
        try:
            return self._request("GET", path).json()
        except ValueError:
            raise LedgerError(f"Routing did not answer {path} with JSON.") from None

    def _request(self, method: str, path: str) -> httpx.Response:
        try:
            answer = self._client.request(method, path)
        except httpx.TransportError as error:
            raise LedgerError(f"Routing does not answer ({type(error).__name__}).") from error
        if not answer.is_success:
            raise LedgerError(f"Routing answered {answer.status_code}: {reason_of(answer) or 'no reason given'}")
        return answer


@contextmanager
def open_ledger(data_dir: Path | None) -> Iterator[LedgerClient]:
    """Open the ledger of the routing that HANDOFF_ROUTING_URL and HANDOFF_STAFF_KEY name, else of the one here."""
    with find_services(data_dir, ["routing"]).client("routing", TIMEOUT) as client:
        yield LedgerClient(client)


def _bytes(text: str) -> bytes:
    try:
        return a2b_base64(text, strict_mode=True)
    except (NotBase64, ValueError):
        raise LedgerError("Routing returned a hash that is not base64.") from None
