"""A small city for intake's tests: three services, four needs, two districts."""

from typing import Any

from services.intake.domain.city import Catalogue, Districts, IntakeCity
from services.intake.domain.consent_options import ConsentCatalogue
from services.intake.domain.validation import Fields
from shared.city.city import CityProfile, District
from shared.city.service_list import AnswerChoice, Attribute, NeedKind, ServiceKind
from shared.events.fields import FieldGroup
from shared.policy.agreements import FRONT_DOOR, Agreement
from tests import builders

HERE = (40.7, -73.9)
CELL = "882a100c37fffff"


def question(code: str, datatype: Any = "string", *keys: str, **fields: Any) -> Attribute:
    """Return a question of a service."""
    values = tuple(AnswerChoice(key=key, name=key.title()) for key in keys)
    return Attribute(code=code, datatype=datatype, description=f"{code}?", values=values, **fields)


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


def agreement(name: str, *clauses: dict[str, Any], **fields: Any) -> Agreement:
    """Return an agreement of the front door with these clauses, by link and with consent."""
    defaults = {"form": "thin", "consent": True, "from": (FRONT_DOOR,), "why": f"Why {name}."}
    usual = {"id": name, "title": name, "retain_days": 90} | fields
    return builders.agreement(*(defaults | each for each in clauses), **usual)


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

INTAKE_CITY = IntakeCity(
    profile=CITY,
    catalogue=Catalogue((HEAT, NOISE, VIOLENCE), NEEDS),
    districts=Districts(DISTRICTS, 8),
    agencies={"homes": "Homes Office", "police": "Police", "clinic": "Town Clinic", "refuge": "Safe House"},
    translations={},
    changed="2026-01-01 00:00",
    consent_catalogue=ConsentCatalogue((REFUGE, WARMTH)),
)


def form(**fields: str) -> dict[str, list[str]]:
    """Return the form of a valid report with these fields replaced; an empty value removes the field."""
    filled = {"service_code": "no-heat", "lat": "40.7", "long": "-73.9", "attribute[scope]": "flat"} | fields
    return {name: [value] for name, value in filled.items() if value}


def without(fields: Fields, *names: str) -> dict[str, list[str]]:
    """Return a form without some of its fields."""
    return {name: list(values) for name, values in fields.items() if name not in names}
