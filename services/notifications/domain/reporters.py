"""Who reported a case, as far as they can be told about it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.events.fields import FieldGroup
from shared.events.intake import CaseSubmitted, PersonErased


@dataclass(frozen=True, slots=True)
class Reporter:
    """What is kept of a case so that its reporter can be told: their address only as a sealed block.

    A `silent` case came from another system's records: whoever reported it there was told there. `protects` is the
    group with stricter rules that its needs touch, whatever its service is called.
    """

    case_id: UUID
    service_request_id: str
    service_code: str
    language: str
    person_id: UUID | None
    contact: str | None
    protects: FieldGroup | None
    silent: bool
    filed_at: datetime


@dataclass(frozen=True, slots=True)
class Erased:
    """Whoever reported this case has been erased."""

    case_id: UUID
    erased_at: datetime


def erased_of(event: PersonErased) -> Erased:
    """Keep that the reporter of a case is gone."""
    return Erased(event.case_id, event.erased_at)


def reporter_of(event: CaseSubmitted, protects: FieldGroup | None = None) -> Reporter:
    """Keep of a report what is needed to tell the person who filed it, and nothing else."""
    silent = event.origin.channel == "import"
    return Reporter(
        case_id=event.case_id,
        service_request_id=event.service_request_id,
        service_code=event.service_code,
        language=event.language,
        person_id=None if silent else event.person_id,
        contact=None if silent else event.sealed.get(FieldGroup.CONTACT),
        protects=protects,
        silent=silent,
        filed_at=event.submitted_at,
    )
