"""Agencies that ask the partner API, and staff who review, on a test's own database."""

from uuid import UUID

import httpx
from starlette.applications import Starlette

from services.routing.http.api.partner import partner_routes
from services.routing.http.pages.emergencies import emergency_routes
from services.routing.use_cases.agency_keys import PartnerKeys
from shared.kit.http.auth import hash_key
from tests.service.routing.world import World

STAFF_KEY = "a key for staff"
PARTNERS = PartnerKeys(hashes=tuple((agency, hash_key(f"key of {agency}")) for agency in ("homes", "clinic", "refuge")))
REASON = "Somebody is in danger, says Ana's neighbour"


def site(world: World) -> Starlette:
    """The partner API and the page of reviewers."""
    routes = partner_routes(world.desk, world.database, PARTNERS)
    return Starlette(routes=[*routes, *emergency_routes(world.desk, world.database, STAFF_KEY)])


def caller(world: World, key: str | None) -> httpx.AsyncClient:
    """Somebody who shows a key, or none."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return httpx.AsyncClient(transport=httpx.ASGITransport(site(world)), base_url="http://routing", headers=headers)


def agency(world: World, name: str = "homes") -> httpx.AsyncClient:
    """The system of an agency."""
    return caller(world, f"key of {name}")


def referral_of(world: World, name: str = "homes") -> UUID:
    """The id of an agency's latest referral."""
    ((referral_id,),) = world.rows(
        "SELECT referral_id FROM referrals WHERE agency = %s ORDER BY asked_at DESC, attempt DESC LIMIT 1", name
    )
    return UUID(str(referral_id))


def path_of(referral_id: UUID) -> str:
    """Where an agency reads about a referral."""
    return f"/partner/v1/referrals/{referral_id}"
