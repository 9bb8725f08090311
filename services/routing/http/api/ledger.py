"""The ledger: checkpoints for everybody, receipts and their proofs for staff, and all of it for whoever verifies it."""

from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal
from uuid import UUID

import orjson
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from services.routing.http.authentication import Staff, require_staff
from services.routing.store.checkpoints import find_latest, list_checkpoints
from services.routing.store.ledger import DamagedLedgerError, list_nodes, read_extent
from services.routing.store.receipts import list_receipts
from services.routing.use_cases.ledger import Proof, prove, prove_extension, sign
from shared.events.event import Instant
from shared.events.fields import FieldGroup
from shared.events.wire import write_time
from shared.kit.database.database import Database, Transaction
from shared.kit.http.replies import Endpoint, refuse, reply, unavailable_as_503
from shared.policy.checkpoint import Signer
from shared.policy.merkle import LeafRange

RECEIPTS_AT_ONCE: Final = 1000
CHECKPOINTS_AT_ONCE: Final = 1000
_LONGEST: Final = 18
"""Digits of a number that the database can take."""


class ReceiptGround(BaseModel):
    """What a disclosure stands on."""

    kind: Literal["agreement", "consent", "emergency"]
    id: str
    version: int | None


class GivenReceipt(BaseModel):
    """A receipt, as it is hashed into the ledger."""

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
    """A receipt with its place and its proof; without a place, or a checkpoint, it still waits for them."""

    receipt: GivenReceipt
    place: int | None
    path: list[str]
    checkpoint: str | None


Answer = Callable[[Request, Transaction], Awaitable[Response]]
"""Answers one request from what is read in one transaction."""


def ledger_routes(database: Database, signer: Signer, key: str) -> list[Route]:
    """Serve `/ledger` and what is below it."""

    async def show_key(_: Request) -> Response:
        return PlainTextResponse(f"{signer.verifier}\n")

    async def sign_now(_: Request, tx: Transaction) -> Response:
        return PlainTextResponse((await sign(tx, signer)).note, 201)

    def public(path: str, answer: Answer) -> Route:
        return Route(path, unavailable_as_503(_read(database, answer)), methods=["GET"])

    def staff(path: str, answer: Answer, method: str = "GET") -> Route:
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
    latest = await find_latest(tx)
    return PlainTextResponse(latest.note) if latest else refuse(404, "the ledger has not been signed yet")


async def show_checkpoints(request: Request, tx: Transaction) -> Response:
    """Answer with the checkpoints of trees larger than `after`, the smallest first, a thousand at most."""
    after = _number(request, "after", -1)
    if after is None:
        return refuse(422, "after: a number of receipts")
    found = await list_checkpoints(tx, after, CHECKPOINTS_AT_ONCE)
    shown = [
        {"size": tree.size, "root": _base64(tree.root), "signed_at": write_time(signed_at), "note": note}
        for tree, signed_at, note in found
    ]
    return reply({"checkpoints": shown})


async def show_consistency(request: Request, tx: Transaction) -> Response:
    """Answer with the proof that the tree of size `to` extends that of size `from`."""
    old, new = _number(request, "from"), _number(request, "to")
    path = None if old is None or new is None else await prove_extension(tx, old, new)
    if path is None:
        return refuse(422, "from, to: sizes that the ledger has had")
    return reply({"from": old, "to": new, "path": [*map(_base64, path)]})


async def show_extent(_: Request, tx: Transaction) -> Response:
    """Answer with how far the ledger goes, and what lies outside of it."""
    extent = await read_extent(tx)
    return reply(
        {
            "size": extent.leaves,
            "waiting": extent.waiting,
            "stray_places": extent.stray_places,
            "stray_nodes": extent.stray_nodes,
        }
    )


async def show_receipts(request: Request, tx: Transaction) -> Response:
    """Answer with the receipts that have the places from `from` to before `to`, and the nodes that they complete."""
    start, end = _number(request, "from"), _number(request, "to")
    if start is None or end is None or not start <= end <= start + RECEIPTS_AT_ONCE:
        return refuse(422, f"from, to: places, not more than {RECEIPTS_AT_ONCE} apart")
    receipts, nodes = await list_receipts(tx, LeafRange(start, end)), await list_nodes(tx, LeafRange(start, end))
    page = {
        "receipts": [{"place": place, **facts} for place, facts in receipts],
        "nodes": [[node.level, node.number, _base64(found)] for node, found in sorted(nodes.items())],
    }
    return Response(orjson.dumps(page), media_type="application/json", headers={"cache-control": "no-store"})


async def show_receipt(request: Request, tx: Transaction) -> Response:
    """Answer with one receipt, its place, and the proof of it."""
    found = await prove(tx, request.path_params["receipt_id"])
    return reply(describe(found)) if found else refuse(404, "there is no such receipt")


def describe(proof: Proof) -> dict[str, Any]:
    """Return a receipt and its proof as JSON."""
    return {
        "receipt": proof.facts,
        "place": proof.place,
        "path": [*map(_base64, proof.path)],
        "checkpoint": proof.checkpoint,
    }


def _read(database: Database, answer: Answer) -> Endpoint:
    """Answer in a transaction of its own; a ledger that contradicts itself is said."""

    async def endpoint(request: Request) -> Response:
        try:
            async with database.transaction(notify_commit=False) as tx:
                return await answer(request, tx)
        except DamagedLedgerError as error:
            return refuse(409, f"{error}: run `handoff ledger verify`")

    return endpoint


def _number(request: Request, name: str, default: int | None = None) -> int | None:
    """Read a number from the query; None where it is none."""
    text = request.query_params.get(name)
    if text is None:
        return default
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST else None


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
