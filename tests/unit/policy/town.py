"""One agreement and one question, to be changed where a test needs it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from shared.events.fields import FieldGroup
from shared.policy.agreements import FRONT_DOOR, Agreement
from shared.policy.consent import Consent
from shared.policy.disclosure_query import DisclosureQuery

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SPACE = UUID("00000000-0000-5000-8000-000000000002")
ALL = tuple(FieldGroup)


def share(id: str = "repairs", **said: Any) -> dict[str, Any]:  # noqa: A002 - as in the file
    """One share of an agreement, of need and address in full."""
    usual = {
        "from": (FRONT_DOOR,),
        "to": ("homes",),
        "groups": ("need", "address"),
        "form": "full",
        "why": "It repairs.",
    }
    return {"id": id, **usual, **said}


def agreement(*shares: dict[str, Any], **said: Any) -> Agreement:
    """An agreement that holds at noon."""
    usual = {
        "id": "city-homes",
        "version": 2,
        "title": "Homes",
        "purpose": "care",
        "legal_basis": "Housing Code 1",
        "status": "active",
        "starts": date(2026, 1, 1),
        "ends": date(2026, 12, 31),
        "retain_days": 90,
        "contacts": ({"party": "homes", "name": "Desk", "email": "desk@homes.example.org"},),
        "parties": (FRONT_DOOR, "homes", "clinic"),
        "share": shares or (share(),),
    }
    return Agreement.model_validate({**usual, **said})


def inquiry(**said: Any) -> DisclosureQuery:
    """What may homes be given of a plain case?"""
    usual = DisclosureQuery("homes", frozenset({FRONT_DOOR}), "housing", "repair", "south", "routine", None, NOON)
    return usual._replace(**said)


def consent(*groups: FieldGroup, number: int = 1, **said: Any) -> Consent:
    """A consent for homes that was given yesterday and ends tomorrow."""
    usual = {
        "consent_id": uuid5(SPACE, f"consent {number}"),
        "case_id": SPACE,
        "recipients": frozenset({"homes"}),
        "purpose": "care",
        "groups": frozenset(groups),
        "granted_at": NOON - DAY,
        "ends_at": NOON + DAY,
    }
    return Consent(**{**usual, **said})
