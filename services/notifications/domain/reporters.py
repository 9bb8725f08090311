"""Who reported a case: what the service stores to notify that person, and that a person was erased."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.events.fields import FieldGroup
from shared.events.intake import CaseSubmitted, PersonErased


@dataclass(frozen=True, slots=True)
class Reporter:
    """What is stored of a case to notify its reporter."""

    case_id: UUID
    service_request_id: str
    service_code: str
    language: str
    person_id: UUID | None

    contact: str | None
    """The contact fields, sealed under the person's key."""

    protects: FieldGroup | None
    """The strictest field group that the needs of the case protect, whatever its service is."""

    imported: bool
    """Whether the case is a record of another system, which notified the reporter itself."""

    filed_at: datetime


@dataclass(frozen=True, slots=True)
class ReporterErasure:
    """The reporter of this case was erased."""

    case_id: UUID
    erased_at: datetime


@dataclass(frozen=True, slots=True)
class CaseProtection:
    """What decides whether a case is protected; both are None for a case that has not arrived, or was erased."""

    service_code: str | None
    protects: FieldGroup | None


def erasure_of(event: PersonErased) -> ReporterErasure:
    """Return what is stored of an erasure."""
    return ReporterErasure(event.case_id, event.erased_at)


def reporter_of(event: CaseSubmitted, protects: FieldGroup | None = None) -> Reporter:
    """Return what is stored of a report: only what is needed to notify the person who filed it."""
    imported = event.origin.channel == "import"
    return Reporter(
        case_id=event.case_id,
        service_request_id=event.service_request_id,
        service_code=event.service_code,
        language=event.language,
        person_id=None if imported else event.person_id,
        contact=None if imported else event.sealed.get(FieldGroup.CONTACT),
        protects=protects,
        imported=imported,
        filed_at=event.submitted_at,
    )
