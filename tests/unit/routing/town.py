"""A small town with a few programs, and reports that its people file."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from services.routing.domain.book import RoutingBook, Rule
from services.routing.domain.placing import City
from services.routing.domain.programs import Program
from services.routing.domain.turn import Circumstances, Prompt, Turn
from shared.events.agency_updates import AgencyUpdate
from shared.events.event import Event
from shared.events.fields import FieldGroup
from shared.events.intake import CaseSubmitted, Need, Origin, Place, RecordedReferral
from shared.events.reasons import Reason
from shared.policy.release import ReleasePlan

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SOMEWHERE = UUID("00000000-0000-5000-8000-000000000000")

PROGRAMS = (
    Program("homes", "inspections", frozenset({"housing"}), 4 * HOUR),
    Program("homes", "emergency", frozenset({"housing"}), HOUR),
    Program("clinic", "visits", frozenset({"health", "housing"}), 8 * HOUR),
    Program("clinic", "north", frozenset({"health"}), 8 * HOUR, frozenset({"north"})),
    Program("police", "precinct", frozenset({"noise", "housing"}), 2 * HOUR),
    Program("nobody", "desk", frozenset({"noise", "housing"}), 2 * HOUR),
)

RULES = (
    Rule("housing", ("homes/inspections", "clinic/visits"), need="housing", fallback="homes/emergency"),
    Rule("health", ("clinic/visits",), need="health"),
    Rule("health-north", ("clinic/north", "clinic/visits"), need="health", district="north"),
    Rule("noise", ("nobody/desk", "police/precinct"), need="noise"),
)

PLAN = ReleasePlan(
    {
        "homes": frozenset({FieldGroup.NEED, FieldGroup.LOCATION, FieldGroup.ADDRESS, FieldGroup.CONTACT}),
        "clinic": frozenset({FieldGroup.NEED, FieldGroup.NARRATIVE, FieldGroup.SUBSTANCE_USE}),
        "police": frozenset({FieldGroup.NEED, FieldGroup.ADDRESS}),
    }
)

PROTECTS = {"repair": None, "loud": None, "drugs": FieldGroup.SUBSTANCE_USE, "violence": FieldGroup.VICTIM_SERVICES}

TOWN = City({program.name: program for program in PROGRAMS}, RoutingBook(RULES), PLAN, PROTECTS)


def case_id(number: int = 1) -> UUID:
    """The id of a case, the same in every run."""
    return uuid5(SOMEWHERE, f"case {number}")


def need_id(need: str, number: int = 1) -> UUID:
    """The id of one need of a case."""
    return uuid5(case_id(number), need)


def report(*needs: str, number: int = 1, **said: Any) -> CaseSubmitted:
    """A report with these needs, filed at noon."""
    values: dict[str, Any] = {
        "case_id": case_id(number),
        "service_request_id": f"SR-{number}",
        "service_code": "repair",
        "needs": tuple(Need(need_id=need_id(need, number), need=need) for need in needs or ("housing",)),
        "place": Place(cell="882a10081bfffff", district="south"),
        "origin": Origin(channel="web"),
        "submitted_at": NOON,
    }
    return CaseSubmitted(**{**values, **said})


def record(
    need: str = "housing", *, closed_at: datetime | None, answered_at: datetime | None = None
) -> RecordedReferral:
    """What another system has on record about a need that it opened at noon."""
    return RecordedReferral(need_id=need_id(need), opened_at=NOON, answered_at=answered_at, closed_at=closed_at)


def around(now: datetime = NOON, blocks: dict[FieldGroup, bytes] | None = None) -> Circumstances:
    """The town at a moment, with what sealed groups hold."""
    return Circumstances(TOWN, now, lambda _, group: (blocks or {}).get(group))


def prompt(what: str = "first", by: str = "routing") -> Prompt:
    """Something that sets a decision off."""
    return Prompt(uuid5(SOMEWHERE, what), by)


def update(kind: type[AgencyUpdate], turn: Turn, at: datetime = NOON, **said: Any) -> AgencyUpdate:
    """What an agency says about the latest referral of a case."""
    referral = list(turn.case.referrals.values())[-1]
    if "reason" in kind.model_fields:
        said = {"reason": Reason.OTHER, "explanation": "because", **said}
    values = {"case_id": turn.report.case_id, "referral_id": referral.referral_id, "occurred_at": at}
    return kind(**{**values, **said})


def types(said: Iterable[Any]) -> list[str]:
    """What was said, in order: types of events, those to an agency with the agency's name before them."""
    return [_type(each.topic, each.event) for each in said]


def _type(topic: str, event: Event) -> str:
    kind = event.type.removesuffix(".v1")
    return f"{topic.split('.')[1]} < {kind}" if topic.startswith("agency.") else kind
