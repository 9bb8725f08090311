"""Clocks: how long people wait, from the events' own times.

Times come from many machines, and some run backwards. A clock whose steps do not follow one another has a negative
value, the worst of its steps: it is counted as bad data, and never shown as a time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from services.metrics.domain.cells import PAIRING
from services.metrics.domain.facts import CaseFact, HoldFact, ReferralFact
from services.metrics.domain.records import CaseRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseClocks:
    """The clocks of a case, in seconds; None has not ended yet. `week` is the Monday of the week of filing."""

    case_id: UUID
    week: date | None
    district: str
    is_open: bool
    routing: float | None
    response: float | None
    resolution: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralClocks:
    """The clocks of a referral, in seconds.

    `response` filed to answered, `answer` requested to answered, `start` accepted to started, `work` started to
    completed, `resolution` filed to completed; the last two without `hold`, the time on hold for a reason that the
    agency does not control.
    """

    referral_id: UUID
    case_id: UUID
    week: date | None
    agency: str
    program: str
    need: str
    pairing: str
    is_open: bool
    response: float | None
    answer: float | None
    start: float | None
    work: float | None
    resolution: float | None
    hold: float


CASE_CLOCKS = ("routing", "response", "resolution")
REFERRAL_CLOCKS = ("response", "answer", "start", "work", "resolution")
WITHOUT_HOLD = ("work", "resolution")
"""The clocks of a referral from which its hold has been subtracted."""


def clock_case(record: CaseRecord, zone: ZoneInfo) -> CaseClocks:
    """Read the clocks of a case; *response* is filed to the first answer of any agency."""
    case = record.case
    answered = earliest(answered_at(referral) for referral in record.referrals)
    return CaseClocks(
        case_id=case.case_id,
        week=week_of(case.filed_at, zone),
        district=case.district or "",
        is_open=resolved_at(case) is None and case.withdrawn_at is None,
        routing=_elapsed(case.filed_at, case.routed_at),
        response=_elapsed(case.filed_at, answered),
        resolution=_elapsed(case.filed_at, resolved_at(case)),
    )


def clock_referral(referral: ReferralFact, holds: Sequence[HoldFact], zone: ZoneInfo) -> ReferralClocks | None:
    """Read the clocks of a referral; None while it is not known whose it is."""
    if referral.case_id is None or referral.agency is None:
        return None
    outside = [seconds for seconds, theirs in _intervals(referral, holds) if theirs]
    return ReferralClocks(
        referral_id=referral.referral_id,
        case_id=referral.case_id,
        week=week_of(referral.filed_at, zone),
        agency=referral.agency,
        program=f"{referral.agency}/{referral.program}",
        need=referral.need or "",
        pairing=f"{referral.agency}{PAIRING}{referral.need or ''}",
        is_open=ended_at(referral) is None,
        response=_elapsed(referral.filed_at, answered_at(referral)),
        answer=_elapsed(referral.requested_at, answered_at(referral)),
        start=_elapsed(referral.accepted_at, referral.started_at),
        work=_elapsed(referral.started_at, referral.completed_at, outside),
        resolution=_elapsed(referral.filed_at, referral.completed_at, outside),
        hold=sum(seconds for seconds in outside if seconds > 0),
    )


def answered_at(referral: ReferralFact) -> datetime | None:
    """Return when the agency first answered, in whatever way."""
    told = (referral.accepted_at, referral.rejected_at, referral.started_at, referral.completed_at)
    return earliest((*told, referral.failed_at, referral.transferred_at))


def ended_at(referral: ReferralFact) -> datetime | None:
    """Return when the referral ended, in whatever way."""
    told = (referral.rejected_at, referral.completed_at, referral.failed_at, referral.cancelled_at)
    return earliest((*told, referral.transferred_at))


def resolved_at(case: CaseFact) -> datetime | None:
    """Return when the case was last resolved."""
    told = (case.completed_at, case.not_completed_at, case.called_off_at)
    return max((moment for moment in told if moment is not None), default=None)


def earliest(moments: Iterable[datetime | None]) -> datetime | None:
    """Return the first of the moments that are known."""
    return min((moment for moment in moments if moment is not None), default=None)


def week_of(moment: datetime | None, zone: ZoneInfo) -> date | None:
    """Return the Monday of the week in which the moment falls, by the city's own calendar."""
    if moment is None:
        return None
    day = moment.astimezone(zone).date()
    return day - timedelta(days=day.weekday())


def _intervals(referral: ReferralFact, holds: Sequence[HoldFact]) -> list[tuple[float, bool]]:
    """Return the finished holds, in the order in which they were applied: seconds, and whether outside control."""
    found: list[tuple[float, bool]] = []
    since: HoldFact | None = None
    for mark in sorted(holds, key=lambda hold: (hold.sequence or 0, hold.occurred_at, hold.event_id)):
        if since is not None:
            found.append((_seconds(since.occurred_at, mark.occurred_at), bool(since.outside)))
        since = mark if mark.outside is not None else None
    end = ended_at(referral)
    if since is not None and end is not None:
        found.append((_seconds(since.occurred_at, end), bool(since.outside)))
    return found


def _elapsed(start: datetime | None, end: datetime | None, holds: Sequence[float] = ()) -> float | None:
    if start is None or end is None:
        return None
    steps = [_seconds(start, end) - sum(seconds for seconds in holds if seconds > 0), *holds]
    return min(steps) if min(steps) < 0 else steps[0]


def _seconds(start: datetime | None, end: datetime | None) -> float:
    return (end - start).total_seconds() if start is not None and end is not None else 0.0
