"""A case that is about to be opened: what is stored of it, and the `CaseSubmitted` event that announces it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal
from uuid import UUID

import orjson

from services.intake.domain.report import Report
from shared.events.fields import FieldGroup
from shared.events.intake import CaseSubmitted, Origin, Place, RecordedReferral, Urgency
from shared.events.wire import fast_uuid5

Status = Literal["open", "closed"]

CASE_SUBMITTED: Final[str] = CaseSubmitted.model_fields["type"].default
"""The type of the event that announces a case."""

NUMBER_DIGITS: Final = 8
SPARSE_NUMBERS: Final = range(10**11, 10**12)
"""The range that numbers of protected cases are drawn from: consecutive public numbers leave no gap where one was."""

SERVICE_REQUEST_ID: Final = re.compile(r"[0-9]{2}-[0-9]{8,12}")


@dataclass(frozen=True, slots=True)
class SealedPerson:
    """A person's data as it is stored: the person's id, their wrapped key, and a sealed block for each field group.

    `record` holds, sealed as well, what else an imported record says; it never leaves intake.
    """

    person_id: UUID
    wrapped_key: bytes
    blocks: Mapping[FieldGroup, str]
    record: str | None = None


@dataclass(frozen=True, slots=True)
class CaseIdentifiers:
    """What a case is known by; `token_hash` is the hash of the secret that opens its status page."""

    case_id: UUID
    service_request_id: str
    token_hash: bytes


@dataclass(frozen=True, slots=True)
class ImportStatus:
    """The status of a case when it is opened: a report is open, an imported record may have been closed for years."""

    status: Status = "open"
    closed_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewCase:
    """One case to be opened; `needs` are the id and the code of each.

    A case that is not `announced` is suppressed: no event tells of it before its person consents.
    """

    identity: CaseIdentifiers
    service_code: str
    needs: tuple[tuple[UUID, str], ...]
    place: Place
    urgency: Urgency
    language: str
    origin: Origin
    submitted_at: datetime
    sealed: SealedPerson
    protected: bool
    import_status: ImportStatus = ImportStatus()
    recorded: tuple[RecordedReferral, ...] = ()
    announced: bool = True


def service_request_id(number: int, moment: datetime) -> str:
    """Write the number that people know a case by: the year and a count, such as 26-00012345."""
    return f"{moment.year % 100:02d}-{number:0{NUMBER_DIGITS}d}"


def case_from_report(
    report: Report, identity: CaseIdentifiers, sealed: SealedPerson, origin: Origin, submitted_at: datetime
) -> NewCase:
    """Make the case of a report; the id of each need is derived from the case and the need's code."""
    return NewCase(
        identity=identity,
        service_code=report.service.code,
        needs=tuple([(fast_uuid5(identity.case_id, need), need) for need in report.needs]),
        place=report.place,
        urgency=report.urgency,
        language=report.language,
        origin=origin,
        submitted_at=submitted_at,
        sealed=sealed,
        protected=bool(report.protections),
        announced=report.permission is not None or FieldGroup.VICTIM_SERVICES not in report.protections,
    )


def submitted_event_json(case: NewCase) -> bytes:
    """Write the `CaseSubmitted` event of a case as JSON.

    It is written without the event's pydantic model: every report passes here, and all values have been checked. A
    unit test compares the result with the model.
    """
    identity, place, origin = case.identity, case.place, case.origin
    event = {
        "type": CASE_SUBMITTED,
        "case_id": identity.case_id,
        "service_request_id": identity.service_request_id,
        "service_code": case.service_code,
        "needs": [{"need_id": need_id, "need": need} for need_id, need in case.needs],
        "place": {"cell": place.cell, "district": place.district},
        "urgency": case.urgency,
        "language": case.language,
        "origin": {"channel": origin.channel, "source": origin.source, "external_id": origin.external_id},
        "submitted_at": case.submitted_at.astimezone(UTC),
        "person_id": case.sealed.person_id,
        "sealed": case.sealed.blocks,
        "recorded": [each.model_dump() for each in case.recorded],
    }
    return orjson.dumps(event, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z)
