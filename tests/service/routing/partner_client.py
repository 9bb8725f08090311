"""Agencies that ask the partner API, and staff who review, on a test's own database."""

from uuid import UUID

import httpx
from starlette.applications import Starlette

from services.routing.http.api.partner import partner_routes
from services.routing.http.pages.emergencies import emergency_routes
from services.routing.use_cases.agency_keys import PartnerKeys
from shared.kit.http.auth import hash_key
from tests.service.routing.harness import RoutingHarness

STAFF_KEY = "a key for staff"
PARTNERS = PartnerKeys(hashes=tuple((agency, hash_key(f"key of {agency}")) for agency in ("homes", "clinic", "refuge")))
REASON = "Ana is in danger, says her neighbour"


def site(harness: RoutingHarness) -> Starlette:
    """The partner API and the page of reviewers."""
    routes = partner_routes(harness.context, harness.database, PARTNERS)
    return Starlette(routes=[*routes, *emergency_routes(harness.context, harness.database, STAFF_KEY)])


def caller(harness: RoutingHarness, key: str | None) -> httpx.AsyncClient:
    """Return a client with a key, or without one."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return httpx.AsyncClient(transport=httpx.ASGITransport(site(harness)), base_url="http://routing", headers=headers)


def agency(harness: RoutingHarness, name: str = "homes") -> httpx.AsyncClient:
    """The system of an agency."""
    return caller(harness, f"key of {name}")


def referral_of(harness: RoutingHarness, name: str = "homes") -> UUID:
    """The id of an agency's latest referral."""
    ((referral_id,),) = harness.rows(
        "SELECT referral_id FROM referrals WHERE agency = %s ORDER BY asked_at DESC, attempt DESC LIMIT 1", name
    )
    return UUID(str(referral_id))


def path_of(referral_id: UUID) -> str:
    """Where an agency reads about a referral."""
    return f"/partner/v1/referrals/{referral_id}"
