"""One agreement, one consent and one disclosure query; tests replace fields."""

from datetime import date
from typing import Any
from uuid import uuid5

from shared.events.fields import FieldGroup
from shared.policy.agreements import FRONT_DOOR, Agreement
from shared.policy.consent import Consent
from shared.policy.disclosure_query import DisclosureQuery
from tests import builders
from tests.builders import DAY, NAMESPACE, NOON

ALL = tuple(FieldGroup)


def share(id: str = "repairs", **fields: Any) -> dict[str, Any]:  # noqa: A002 - as in the file
    """Return a clause as in the file: need and address in full to homes."""
    defaults = {
        "from": (FRONT_DOOR,),
        "to": ("homes",),
        "groups": ("need", "address"),
        "form": "full",
        "why": "It repairs.",
    }
    return {"id": id, **defaults, **fields}


def agreement(*shares: dict[str, Any], **fields: Any) -> Agreement:
    """Return an agreement that is in force at noon."""
    defaults = {
        "id": "city-homes",
        "version": 2,
        "purpose": "care",
        "starts": date(2026, 1, 1),
        "ends": date(2026, 12, 31),
        "retain_days": 90,
        "parties": (FRONT_DOOR, "homes", "clinic"),
    }
    return builders.agreement(*(shares or (share(),)), **{**defaults, **fields})


def query(**fields: Any) -> DisclosureQuery:
    """Return the query: what may homes receive of a plain case?"""
    defaults = DisclosureQuery("homes", frozenset({FRONT_DOOR}), "housing", "repair", "south", "routine", None, NOON)
    return defaults._replace(**fields)


def consent(*groups: FieldGroup, number: int = 1, **fields: Any) -> Consent:
    """Return a consent for homes that was granted yesterday and ends tomorrow."""
    defaults = {
        "consent_id": uuid5(NAMESPACE, f"consent {number}"),
        "purpose": "care",
        "granted_at": NOON - DAY,
        "ends_at": NOON + DAY,
    }
    return builders.consent("homes", groups=groups, **{**defaults, **fields})
