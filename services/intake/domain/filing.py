"""A case as it is opened: what is kept of it, and what is said of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid5

from services.intake.domain.report import Report
from shared.events.fields import FieldGroup
from shared.events.intake import CaseSubmitted, Need, Origin

Status = Literal["open", "closed"]

NUMBER_DIGITS = 8
SERVICE_REQUEST_ID = re.compile(r"[0-9]{2}-[0-9]{8,12}")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A person's data as it may be kept: the person's id, their wrapped key, and a sealed block for each group.

    `record` holds, sealed as well, what else an imported record says; it stays with intake.
    """

    person_id: UUID
    wrapped_key: bytes
    blocks: Mapping[FieldGroup, str]
    record: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """What a case is known by: `token_hash` is of the secret that opens its status page."""

    case_id: UUID
    service_request_id: str
    token_hash: bytes


@dataclass(frozen=True, slots=True)
class Standing:
    """How a case stood when it came in; a live report is open, a record may have been closed for years."""

    status: Status = "open"
    closed_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Filing:
    """One case to be opened."""

    identity: Identity
    event: CaseSubmitted
    wrapped_key: bytes
    protected: bool
    standing: Standing = Standing()
    record: str | None = None


def service_request_id(number: int, moment: datetime) -> str:
    """Write the number that people know a case by: the year and a count, such as 26-00012345."""
    return f"{moment.year % 100:02d}-{number:0{NUMBER_DIGITS}d}"


def needs_of(case_id: UUID, codes: tuple[str, ...]) -> tuple[Need, ...]:
    """Name the needs of a case; the ids follow from case and kind, so that they are the same each time."""
    return tuple(Need(need_id=uuid5(case_id, code), need=code) for code in codes)


def file_report(report: Report, identity: Identity, sealed: Sealed, origin: tuple[Origin, datetime]) -> Filing:
    """Open a case for a report that came in by this way and at this moment."""
    came_by, moment = origin
    event = CaseSubmitted(
        case_id=identity.case_id,
        service_request_id=identity.service_request_id,
        service_code=report.service.code,
        needs=needs_of(identity.case_id, report.needs),
        place=report.place,
        urgency=report.urgency,
        language=report.language,
        origin=came_by,
        submitted_at=moment,
        person_id=sealed.person_id,
        sealed=dict(sealed.blocks),
    )
    return Filing(identity, event, sealed.wrapped_key, report.protected)
