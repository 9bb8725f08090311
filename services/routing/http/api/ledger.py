"""`/ledger`: signed checkpoints and consistency proofs for the public, receipts and their proofs for staff."""

from base64 import b64encode
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import orjson
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from services.routing.http.authentication import Staff, require_staff
from services.routing.store.checkpoints import find_latest_checkpoint, list_checkpoints
from services.routing.store.ledger import DamagedLedgerError, list_nodes, read_extent
from services.routing.store.receipts import list_receipts
from services.routing.use_cases.ledger import Proof, prove, prove_extension, sign
from shared.events.event import Instant
from shared.events.fields import FieldGroup
from shared.kit.database.database import Database, Transaction
from shared.kit.http.replies import Endpoint, JsonAnswer, refuse, reply, unavailable_as_503
from shared.policy.checkpoint import Signer
from shared.policy.merkle import LeafRange

RECEIPTS_AT_ONCE: Final = 1000
CHECKPOINTS_AT_ONCE: Final = 1000
_MAX_DIGITS: Final = 18
"""Digits of the largest number that PostgreSQL's bigint can hold in any case."""


class ReceiptGround(BaseModel):
    """What a disclosure depends on."""

    kind: Literal["agreement", "consent", "emergency"]
    id: str
    version: int | None


class GivenReceipt(BaseModel):
    """A receipt, with the fields that are hashed into the ledger."""

    receipt_id: UUID
    case_id: UUID
    referral_id: UUID | None
    agency: str
    given_at: Instant
    channel: Literal["event", "read", "emergency"]
    form: str
    groups: list[FieldGroup]
    grounds: list[ReceiptGround]
    purpose: str
    policy_set: str
    digest: str
    shown_from: Instant | None


class ProvenReceipt(BaseModel):
    """A receipt with its index in the ledger and its inclusion proof.

    Without an index, or a checkpoint, the receipt is not yet sequenced, or not yet signed.
    """

    receipt: GivenReceipt
    place: int | None
    path: list[str]
    checkpoint: str | None


LedgerEndpoint = Callable[[Request, Transaction], Awaitable[Response]]
"""Answers one request from what one transaction reads."""


class CheckpointView(JsonAnswer):
    """A signed tree head; `note` is the text with its signature (c2sp.org/signed-note)."""

    size: int
    root: str
    signed_at: datetime
    note: str


class CheckpointsView(JsonAnswer):
    """Checkpoints, those of the smallest trees first."""

    checkpoints: list[CheckpointView]


class ExtentView(JsonAnswer):
    """The size of the ledger, and what lies outside of it; `waiting` counts receipts without an index."""

    size: int
    waiting: int
    stray_places: list[int]
    stray_nodes: list[tuple[int, int]]


def ledger_routes(database: Database, signer: Signer, key: str) -> list[Route]:
    """Serve `/ledger` and the paths below it."""

    async def show_key(_: Request) -> Response:
        return PlainTextResponse(f"{signer.verifier}\n")

    async def sign_now(_: Request, tx: Transaction) -> Response:
        return PlainTextResponse((await sign(tx, signer)).note, 201)

    def public(path: str, answer: LedgerEndpoint) -> Route:
        return Route(path, unavailable_as_503(_read(database, answer)), methods=["GET"])

    def staff(path: str, answer: LedgerEndpoint, method: str = "GET") -> Route:
        inner = _read(database, answer)

        async def admitted(request: Request, _: Staff) -> Response:
            return await inner(request)

        return Route(path, require_staff(admitted, key), methods=[method])

    return [
        Route("/ledger/key", show_key, methods=["GET"]),
        public("/ledger/checkpoint", show_checkpoint),
        public("/ledger/checkpoints", show_checkpoints),
        public("/ledger/consistency", show_consistency),
        staff("/ledger/checkpoint", sign_now, "POST"),
        staff("/ledger", show_extent),
        staff("/ledger/receipts", show_receipts),
        staff("/ledger/receipts/{receipt_id:uuid}", show_receipt),
    ]


async def show_checkpoint(_: Request, tx: Transaction) -> Response:
    """Answer with the latest checkpoint, as a signed note."""
    latest = await find_latest_checkpoint(tx)
    return PlainTextResponse(latest.note) if latest else refuse(404, "the ledger is not signed yet")


async def show_checkpoints(request: Request, tx: Transaction) -> Response:
    """Answer with the checkpoints of trees larger than `after`, the smallest first, at most a thousand."""
    after = _number(request, "after", -1)
    if after is None:
        return refuse(422, "after: a number of receipts")
    found = await list_checkpoints(tx, after, CHECKPOINTS_AT_ONCE)
    checkpoints = [
        CheckpointView(size=each.tree.size, root=_base64(each.tree.root), signed_at=each.signed_at, note=each.note)
        for each in found
    ]
    return reply(CheckpointsView(checkpoints=checkpoints))


async def show_consistency(request: Request, tx: Transaction) -> Response:
    """Answer with the proof that the tree of size `to` extends that of size `from`."""
    old, new = _number(request, "from"), _number(request, "to")
    path = None if old is None or new is None else await prove_extension(tx, old, new)
    if path is None:
        return refuse(422, "from, to: sizes of the ledger, now or before")
    return reply({"from": old, "to": new, "path": [*map(_base64, path)]})


async def show_extent(_: Request, tx: Transaction) -> Response:
    """Answer with the size of the ledger, and what lies outside of it."""
    extent = await read_extent(tx)
    return reply(
        ExtentView(
            size=extent.leaves,
            waiting=extent.waiting,
            stray_places=list(extent.stray_places),
            stray_nodes=[(node.level, node.number) for node in extent.stray_nodes],
        )
    )


async def show_receipts(request: Request, tx: Transaction) -> Response:
    """Answer with the receipts from index `from` to before `to`, and the nodes of the tree that they complete."""
    start, end = _number(request, "from"), _number(request, "to")
    if start is None or end is None or not start <= end <= start + RECEIPTS_AT_ONCE:
        return refuse(422, f"from, to: indices, at most {RECEIPTS_AT_ONCE} apart")
    receipts, nodes = await list_receipts(tx, LeafRange(start, end)), await list_nodes(tx, LeafRange(start, end))
    page = {
        "receipts": [{"place": place, **facts} for place, facts in receipts],
        "nodes": [[node.level, node.number, _base64(found)] for node, found in sorted(nodes.items())],
    }
    return Response(orjson.dumps(page), media_type="application/json", headers={"cache-control": "no-store"})


async def show_receipt(request: Request, tx: Transaction) -> Response:
    """Answer with one receipt, its index, and its inclusion proof."""
    found = await prove(tx, request.path_params["receipt_id"])
    return reply(describe_proof(found)) if found else refuse(404, "unknown receipt")


def describe_proof(proof: Proof) -> dict[str, Any]:
    """Return a receipt and its proof as JSON, in the shape of `ProvenReceipt`.

    No model writes it: a verifier hashes the facts, so they are answered exactly as they are stored.
    """
    return {
        "receipt": proof.facts,
        "place": proof.place,
        "path": [*map(_base64, proof.path)],
        "checkpoint": proof.checkpoint,
    }


def _read(database: Database, answer: LedgerEndpoint) -> Endpoint:
    """Answer in a transaction of its own; 409 for a ledger that contradicts itself."""

    async def endpoint(request: Request) -> Response:
        try:
            async with database.transaction(notify_commit=False) as tx:
                return await answer(request, tx)
        except DamagedLedgerError as error:
            return refuse(409, f"{error}: run `handoff ledger verify`")

    return endpoint


def _number(request: Request, name: str, default: int | None = None) -> int | None:
    """Read a number from the query; None if it is not one."""
    text = request.query_params.get(name)
    if text is None:
        return default
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS else None


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
