"""A small town: three services, four needs, two districts."""

from datetime import date
from typing import Any

from services.intake.domain.city import Catalogue, Districts, IntakeCity
from services.intake.domain.consent_options import ConsentCatalogue
from services.intake.domain.validation import Fields
from shared.city.city import CityProfile, District
from shared.city.service_list import AnswerChoice, Attribute, NeedKind, ServiceKind
from shared.events.fields import FieldGroup
from shared.policy.agreements import Agreement

HERE = (40.7, -73.9)
CELL = "882a100c37fffff"


def question(code: str, datatype: Any = "string", *keys: str, **said: Any) -> Attribute:
    """A question of a service."""
    values = tuple(AnswerChoice(key=key, name=key.title()) for key in keys)
    return Attribute(code=code, datatype=datatype, description=f"{code}?", values=values, **said)


HEAT = ServiceKind(
    code="no-heat",
    name="No heat",
    description="It is cold.",
    keywords=("heat", "cold"),
    group="Housing",
    needs=("housing",),
    attribute=(
        question("scope", "singlevaluelist", "flat", "building", required=True),
        question("rooms", "multivaluelist", "kitchen", "bath"),
        question("since", "datetime"),
        question("degrees", "number"),
        question("landlord"),
        question("urgency", "singlevaluelist", "urgent", "emergency"),
        question("asthma", "singlevaluelist", "yes", "no", group=FieldGroup.HEALTH),
        question("children", "number", group=FieldGroup.HOUSEHOLD),
        question("elders", "number", group=FieldGroup.HOUSEHOLD),
    ),
)
NOISE = ServiceKind(code="noise", name="Noise & din", description="Loud.", group="Street", needs=("quiet",))
VIOLENCE = ServiceKind(
    code="violence",
    name="Violence",
    description="A person hurts you.",
    group="Safety",
    needs=("safety", "housing"),
    protects=FieldGroup.VICTIM_SERVICES,
    attribute=(question("since", "text", group=FieldGroup.VICTIM_SERVICES),),
)
NEEDS = tuple(
    NeedKind(code=code, family="social", name=code.title()) for code in ("housing", "quiet", "safety", "company")
)
CITY = CityProfile(
    jurisdiction_id="small-town",
    name="Small Town",
    time_zone="America/New_York",
    languages=("en", "es"),
    contact_email="311@example.org",
    contact_phone="+1-555-0100",
    website="https://example.org",
)
DISTRICTS = (
    District(id="north", name="North End", mapped_from=("The North",), cells=frozenset({CELL})),
    District(id="south", name="South End"),
)


def agreement(name: str, *clauses: dict[str, Any], **said: Any) -> Agreement:
    """An agreement between the front door and everybody, with these clauses."""
    contact = {"party": "front-door", "name": "Ann", "email": "ann@example.org"}
    words = {"version": 1, "title": name, "purpose": "service-delivery", "legal_basis": "Law 1", "status": "active"}
    dates = {"starts": date(2025, 1, 1), "ends": date(2040, 12, 31), "retain_days": 90}
    parties = ("front-door", "homes", "police", "clinic", "refuge")
    shares = [{"form": "thin", "consent": True, "from": ("front-door",), "why": f"Why {name}."} | c for c in clauses]
    given = words | dates | {"id": name, "contacts": (contact,), "parties": parties, "share": shares} | said
    return Agreement.model_validate(given)


REFUGE = agreement(
    "refuge",
    {"id": "safety", "to": ("refuge",), "services": ("violence",), "groups": ("need", "contact", "victim_services")},
    {"id": "homes", "to": ("homes",), "services": ("violence",), "groups": ("need", "victim_services")},
)
WARMTH = agreement(
    "warmth",
    {"id": "asthma", "to": ("clinic",), "needs": ("housing",), "services": ("no-heat",), "groups": ("need", "health")},
    {"id": "heat", "to": ("homes",), "groups": ("need", "location", "address"), "consent": False},
)

TOWN = IntakeCity(
    profile=CITY,
    catalogue=Catalogue((HEAT, NOISE, VIOLENCE), NEEDS),
    districts=Districts(DISTRICTS, 8),
    agencies={"homes": "Homes Office", "police": "Police", "clinic": "Town Clinic", "refuge": "Safe House"},
    translations={},
    changed="2026-01-01 00:00",
    sharing=ConsentCatalogue((REFUGE, WARMTH)),
)


def form(**fields: str) -> dict[str, list[str]]:
    """A report that can be taken, with these fields instead of its own; an empty one is left out."""
    filled = {"service_code": "no-heat", "lat": "40.7", "long": "-73.9", "attribute[scope]": "flat"} | fields
    return {name: [value] for name, value in filled.items() if value}


def without(fields: Fields, *names: str) -> dict[str, list[str]]:
    """A form without some of its fields."""
    return {name: list(values) for name, values in fields.items() if name not in names}
