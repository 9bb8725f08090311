"""A small town with a few programs, and reports that its people file."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import uuid5

from services.routing.domain.city import RoutingCity, routing_city
from services.routing.domain.decision import CaseDecision, Cause, DecisionContext
from shared.city.city import Program
from shared.city.reader import load_agreements, read_city
from shared.city.routing_rules import RoutingRules, Rule
from shared.events.agency_updates import AgencyUpdate
from shared.events.event import Event
from shared.events.fields import FieldGroup
from shared.events.intake import CaseSubmitted
from shared.events.reasons import Reason
from shared.kit.service.settings import SAMPLE_CITY
from shared.policy.agreements import Clause, Form
from shared.policy.consent import Consent
from shared.policy.decision import DisclosurePolicy
from shared.policy.protection import ProtectionRules
from tests import builders
from tests.builders import HOUR, NAMESPACE, NOON, agreement

PROGRAMS = (
    Program("homes", "inspections", frozenset({"housing"}), 4 * HOUR),
    Program("homes", "emergency", frozenset({"housing"}), HOUR),
    Program("clinic", "visits", frozenset({"health", "housing"}), 8 * HOUR),
    Program("clinic", "north", frozenset({"health"}), 8 * HOUR, frozenset({"north"})),
    Program("police", "precinct", frozenset({"noise", "housing"}), 2 * HOUR),
    Program("harbor", "desk", frozenset({"noise", "housing"}), 2 * HOUR),
    Program("refuge", "beds", frozenset({"safety"}), HOUR),
)

RULES = (
    Rule("housing", ("homes/inspections", "clinic/visits"), need="housing", fallback="homes/emergency"),
    Rule("health", ("clinic/visits",), need="health"),
    Rule("health-north", ("clinic/north", "clinic/visits"), need="health", district="north"),
    Rule("noise", ("harbor/desk", "police/precinct"), need="noise"),
    Rule("safety", ("refuge/beds",), need="safety"),
)


def clause(agency: str, *groups: FieldGroup, **fields: Any) -> Clause:
    """Return a clause of the front door with an agency, in the form `full`."""
    return builders.clause(agency, groups=groups, **fields)


NEED, ADDRESS, CONTACT = FieldGroup.NEED, FieldGroup.ADDRESS, FieldGroup.CONTACT
AGREEMENTS = (
    agreement(clause("homes", NEED, FieldGroup.LOCATION, ADDRESS, CONTACT)),
    agreement(clause("clinic", NEED, FieldGroup.NARRATIVE)),
    agreement(clause("police", NEED, ADDRESS)),
    agreement(
        clause("clinic", NEED, FieldGroup.SUBSTANCE_USE, id="drug-care", form=Form.SEALED, consent=True),
        clause("clinic", FieldGroup.HEALTH, id="clinic-health", form=Form.THIN, consent=True),
        clause("refuge", NEED, ADDRESS, id="refuge", form=Form.THIN, consent=True),
    ),
)

PROTECTS = {"repair": None, "loud": None, "drugs": FieldGroup.SUBSTANCE_USE, "violence": FieldGroup.VICTIM_SERVICES}

PROTECTION = ProtectionRules(PROTECTS, {"safety": frozenset({FieldGroup.VICTIM_SERVICES})})

KEYED = ("clinic",)
"""The agencies that have a public key."""

CITY = RoutingCity(
    {program.name: program for program in PROGRAMS},
    RoutingRules(RULES),
    DisclosurePolicy(AGREEMENTS, KEYED, services=PROTECTS),
    PROTECTION,
)


def sample_city() -> RoutingCity:
    """The sample city as routing decides by it, without agencies that have a public key."""
    city = read_city(SAMPLE_CITY)
    return routing_city(city, [file.content for file in load_agreements(SAMPLE_CITY, city)])


class OpenKeys:
    """Keys that open what a test puts in, and seal by saying to whom."""

    def __init__(self, blocks: dict[FieldGroup, bytes]) -> None:
        self._blocks = blocks

    def unseal(self, _: CaseSubmitted, group: FieldGroup) -> bytes | None:
        return self._blocks.get(group)

    def encrypt_to(self, agency: str, plain: bytes) -> str:
        return f"{agency}:{plain.decode()}"

    def digest(self, _: CaseSubmitted, sent: bytes) -> bytes:
        return sha256(sent).digest()


def context(
    now: datetime = NOON, blocks: dict[FieldGroup, bytes] | None = None, consents: Sequence[Consent] = ()
) -> DecisionContext:
    """The town at a moment, with what sealed groups hold, and the consents that people have given."""
    by_case = {each.case_id: [one for one in consents if one.case_id == each.case_id] for each in consents}
    return DecisionContext(CITY, now, OpenKeys(blocks or {}), by_case)


def cause(what: str = "first", by: str = "routing") -> Cause:
    """Return the cause of a decision; the same id for the same `what`."""
    return Cause(uuid5(NAMESPACE, what), by)


def update(kind: type[AgencyUpdate], decision: CaseDecision, at: datetime = NOON, **said: Any) -> AgencyUpdate:
    """What an agency says about the latest referral of a case."""
    referral = list(decision.case.referrals.values())[-1]
    if "reason" in kind.model_fields:
        said = {"reason": Reason.OTHER, "explanation": "because", **said}
    values = {"case_id": decision.case.report.case_id, "referral_id": referral.referral_id, "occurred_at": at}
    return kind(**{**values, **said})


def event_types(said: Iterable[Any]) -> list[str]:
    """What was said, in order: event_types of events, those to an agency with the agency's name before them."""
    return [_type(each.topic, each.event) for each in said]


def _type(topic: str, event: Event) -> str:
    kind = event.type.removesuffix(".v1")
    return f"{topic.split('.')[1]} < {kind}" if topic.startswith("agency.") else kind
