"""Clocks: how long people wait, from the events' own times.

Times come from many machines, and some run backwards. A clock whose steps are out of order has a negative value, its
most negative step: it counts as invalid, and no page shows it as a time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from services.metrics.domain.cells import PAIRING
from services.metrics.domain.facts import CaseFact, HoldFact, ReferralFact
from services.metrics.domain.records import CaseRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseClocks:
    """The clocks of a case, in seconds; None is a clock that has not ended.

    The class declares the table `case_clocks`, too.
    """

    case_id: UUID

    week: date | None
    """The Monday of the week of filing."""

    district: str
    is_open: bool

    routing: float | None
    """Filed to routed."""

    response: float | None
    """Filed to the first answer of any agency."""

    resolution: float | None
    """Filed to resolved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralClocks:
    """The clocks of a referral, in seconds; None is a clock that has not ended.

    The class declares the table `referral_clocks`, too.
    """

    referral_id: UUID
    case_id: UUID

    week: date | None
    """The Monday of the week of filing."""

    agency: str
    program: str
    need: str
    pairing: str
    is_open: bool

    response: float | None
    """Filed to answered."""

    answer: float | None
    """Requested to answered."""

    start: float | None
    """Accepted to started."""

    work: float | None
    """Started to completed, without `hold`."""

    resolution: float | None
    """Filed to completed, without `hold`."""

    hold: float
    """The time on hold for a reason that the agency does not control."""


CASE_CLOCKS: Final = ("routing", "response", "resolution")
REFERRAL_CLOCKS: Final = ("response", "answer", "start", "work", "resolution")
WITHOUT_HOLD: Final = ("work", "resolution")
"""The clocks of a referral from which its hold is subtracted."""

CLOCKS_BY_DIMENSION: Final = {
    **dict.fromkeys(("city", "district"), CASE_CLOCKS),
    **dict.fromkeys(("agency", "program", "need"), REFERRAL_CLOCKS),
}
"""The dimensions that a reader may ask for, each with its clocks."""


def measure_case(record: CaseRecord, zone: ZoneInfo) -> CaseClocks:
    """Compute the clocks of a case."""
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


def measure_referral(referral: ReferralFact, holds: Sequence[HoldFact], zone: ZoneInfo) -> ReferralClocks | None:
    """Compute the clocks of a referral; None until events have given its case and its agency."""
    if referral.case_id is None or referral.agency is None:
        return None
    outside = [seconds for seconds, is_outside in _hold_intervals(referral, holds) if is_outside]
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
    """Return when the agency first answered, with any answer."""
    answers = (referral.accepted_at, referral.rejected_at, referral.started_at, referral.completed_at)
    return earliest((*answers, referral.failed_at, referral.transferred_at))


def ended_at(referral: ReferralFact) -> datetime | None:
    """Return when the referral ended, with any result."""
    ends = (referral.rejected_at, referral.completed_at, referral.failed_at, referral.cancelled_at)
    return earliest((*ends, referral.transferred_at))


def resolved_at(case: CaseFact) -> datetime | None:
    """Return when the case was last resolved; a reopened case can be resolved more than once."""
    resolutions = (case.completed_at, case.not_completed_at, case.called_off_at)
    return max((moment for moment in resolutions if moment is not None), default=None)


def earliest(moments: Iterable[datetime | None]) -> datetime | None:
    """Return the first of the moments that are known."""
    return min((moment for moment in moments if moment is not None), default=None)


def week_of(moment: datetime | None, zone: ZoneInfo) -> date | None:
    """Return the Monday of the moment's week in the city's time zone."""
    if moment is None:
        return None
    day = moment.astimezone(zone).date()
    return day - timedelta(days=day.weekday())


def _hold_intervals(referral: ReferralFact, holds: Sequence[HoldFact]) -> list[tuple[float, bool]]:
    """Return for each finished hold its seconds, and whether its reason is outside the agency's control.

    The order is that of routing's sequence, not of the agency's clock: a negative interval is kept, and makes the
    referral's clock invalid.
    """
    found: list[tuple[float, bool]] = []
    held: HoldFact | None = None
    for change in sorted(holds, key=lambda hold: (hold.sequence or 0, hold.occurred_at, hold.event_id)):
        if held is not None:
            found.append((_seconds(held.occurred_at, change.occurred_at), bool(held.outside)))
        held = change if change.outside is not None else None
    end = ended_at(referral)
    if held is not None and end is not None:
        found.append((_seconds(held.occurred_at, end), bool(held.outside)))
    return found


def _elapsed(start: datetime | None, end: datetime | None, holds: Sequence[float] = ()) -> float | None:
    """Return the seconds from start to end without the holds; when a step is negative, the most negative step."""
    if start is None or end is None:
        return None
    steps = [_seconds(start, end) - sum(seconds for seconds in holds if seconds > 0), *holds]
    return min(steps) if min(steps) < 0 else steps[0]


def _seconds(start: datetime | None, end: datetime | None) -> float:
    return (end - start).total_seconds() if start is not None and end is not None else 0.0
