"""A ledger in a test's own database: receipts in it, served by HTTP, and the command that verifies it."""

import asyncio

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from typer.testing import CliRunner, Result

from deploy.cli.ledger import ledger_app
from services.routing.http.api.ledger import ledger_routes
from services.routing.use_cases.ledger import sign
from services.routing.workers.ledger_sequencer import sequence
from shared.kit.database.database import Database
from shared.policy.checkpoint import Signer
from shared.policy.proofs import TreeHead
from shared.policy.receipts import Receipt, canonical, facts_of
from tests.http_server import served
from tests.service.routing.harness import RoutingHarness
from tests.service.routing.receipts import insert_receipts, receipt

SIGNER = Signer("town/ledger", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
KEY = "a key for staff"


async def give(harness: RoutingHarness, *receipts: Receipt) -> None:
    """Write receipts as a decision does."""
    async with harness.database.transaction() as tx:
        await insert_receipts(tx, receipts)


async def sequence_all(database: Database, most: int = 1000) -> None:
    """Sequence until every receipt has a place."""
    while await sequence(database, most):
        pass


async def sign_now(harness: RoutingHarness) -> TreeHead:
    """Sign the ledger, and return the tree that was signed."""
    async with harness.database.transaction() as tx:
        return (await sign(tx, SIGNER)).tree


async def fill(harness: RoutingHarness, *sizes: int) -> None:
    """Let the ledger grow to each of these sizes, and have it signed there."""
    start = 0
    for size in sizes:
        await give(harness, *map(receipt, range(start, size)))
        await sequence_all(harness.database)
        await sign_now(harness)
        start = size


def leaf_data(count: int) -> list[bytes]:
    """What the leaves of the first receipts are made of."""
    return [canonical(facts_of(receipt(number))) for number in range(count)]


def site(harness: RoutingHarness) -> Starlette:
    """Return the routes of the ledger."""
    return Starlette(routes=ledger_routes(harness.database, SIGNER, KEY))


def client(harness: RoutingHarness, key: str | None = KEY) -> httpx.AsyncClient:
    """Return a client of the ledger's routes, with or without the staff key."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return httpx.AsyncClient(transport=httpx.ASGITransport(site(harness)), base_url="http://routing", headers=headers)


async def run(harness: RoutingHarness, *arguments: str, key: str = KEY) -> Result:
    """Run `handoff ledger` with these words."""
    async with served(site(harness)) as url:
        environment = {"HANDOFF_ROUTING_URL": url, "HANDOFF_STAFF_KEY": key, "COLUMNS": "200"}
        return await asyncio.to_thread(CliRunner().invoke, ledger_app, list(arguments), env=environment)
