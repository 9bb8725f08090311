"""A case as it is opened: what is kept of it, and what is said of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

import orjson

from services.intake.domain.report import Report
from shared.events.fields import FieldGroup
from shared.events.intake import CaseSubmitted, Origin, Place, RecordedReferral, Urgency
from shared.events.wire import fast_uuid5

Status = Literal["open", "closed"]

SUBMITTED: str = CaseSubmitted.model_fields["type"].default
"""The type of the event that tells of a case."""

NUMBER_DIGITS = 8
APART = range(10**11, 10**12)
"""The numbers of reports that the public never sees: drawn from far apart, so that those it sees have no gaps."""

SERVICE_REQUEST_ID = re.compile(r"[0-9]{2}-[0-9]{8,12}")


@dataclass(frozen=True, slots=True)
class SealedPerson:
    """A person's data as it may be kept: the person's id, their wrapped key, and a sealed block for each group.

    `record` holds, sealed as well, what else an imported record says; it stays with intake.
    """

    person_id: UUID
    wrapped_key: bytes
    blocks: Mapping[FieldGroup, str]
    record: str | None = None


@dataclass(frozen=True, slots=True)
class CaseIdentity:
    """What a case is known by: `token_hash` is of the secret that opens its status page."""

    case_id: UUID
    service_request_id: str
    token_hash: bytes


@dataclass(frozen=True, slots=True)
class ImportStatus:
    """How a case stood when it came in; a live report is open, a record may have been closed for years."""

    status: Status = "open"
    closed_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewCase:
    """One case to be opened; each need has an id of its own. One that is not `announced` nobody is told of."""

    identity: CaseIdentity
    service_code: str
    needs: tuple[tuple[UUID, str], ...]
    place: Place
    urgency: Urgency
    language: str
    origin: Origin
    submitted_at: datetime
    sealed: SealedPerson
    protected: bool
    standing: ImportStatus = ImportStatus()
    recorded: tuple[RecordedReferral, ...] = ()
    announced: bool = True


def service_request_id(number: int, moment: datetime) -> str:
    """Write the number that people know a case by: the year and a count, such as 26-00012345."""
    return f"{moment.year % 100:02d}-{number:0{NUMBER_DIGITS}d}"


def case_from_report(
    report: Report, identity: CaseIdentity, sealed: SealedPerson, origin: tuple[Origin, datetime]
) -> NewCase:
    """Open a case for a report that came in by this way and at this moment.

    The ids of its needs follow from case and kind, so that they are the same each time.
    """
    came_by, moment = origin
    return NewCase(
        identity=identity,
        service_code=report.service.code,
        needs=tuple([(fast_uuid5(identity.case_id, need), need) for need in report.needs]),
        place=report.place,
        urgency=report.urgency,
        language=report.language,
        origin=came_by,
        submitted_at=moment,
        sealed=sealed,
        protected=bool(report.protections),
        announced=report.permission is not None or FieldGroup.VICTIM_SERVICES not in report.protections,
    )


def announcement(filing: NewCase) -> bytes:
    """Write the JSON of the `CaseSubmitted` that tells of a case.

    Written by hand, since every report passes here and all of it has been checked before; a test holds it against the
    published model.
    """
    identity, place, origin = filing.identity, filing.place, filing.origin
    said = {
        "type": SUBMITTED,
        "case_id": identity.case_id,
        "service_request_id": identity.service_request_id,
        "service_code": filing.service_code,
        "needs": [{"need_id": need_id, "need": need} for need_id, need in filing.needs],
        "place": {"cell": place.cell, "district": place.district},
        "urgency": filing.urgency,
        "language": filing.language,
        "origin": {"channel": origin.channel, "source": origin.source, "external_id": origin.external_id},
        "submitted_at": filing.submitted_at.astimezone(UTC),
        "person_id": filing.sealed.person_id,
        "sealed": filing.sealed.blocks,
        "recorded": [each.model_dump() for each in filing.recorded],
    }
    return orjson.dumps(said, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z)
