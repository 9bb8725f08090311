"""Routing's events become a history that a resident can read."""

from typing import Any
from uuid import UUID, uuid5

from services.intake.domain.progress import STATE_AFTER, CaseEvent, project_progress
from shared.events.event import Event
from shared.events.reasons import Reason
from shared.events.referrals import (
    ReferralAccepted,
    ReferralCompleted,
    ReferralEvent,
    ReferralOverdue,
    ReferralRejected,
    ReferralRequested,
)
from shared.events.routing import CaseResolved, CaseRouted, CaseUnroutable
from tests.builders import HOUR, NOON

CASE, OTHER = UUID(int=1), UUID(int=2)
REFERRAL = UUID(int=3)


def referral(kind: type[ReferralEvent], hours: int = 0, **said: Any) -> Any:
    about: dict[str, Any] = {
        "case_id": CASE,
        "referral_id": REFERRAL,
        "need_id": UUID(int=4),
        "need": "housing",
        "agency": "homes",
        "program": "inspections",
        "submitted_at": NOON,
        "occurred_at": NOON + hours * HOUR,
    }
    return kind(**(about | said))


def heard(*events: Event) -> list[CaseEvent]:
    return [CaseEvent(uuid5(CASE, str(number)), number, event) for number, event in enumerate(events, 1)]


def test_each_event_of_a_referral_adds_a_line() -> None:
    progress = project_progress(
        heard(
            referral(ReferralRequested),
            referral(ReferralRejected, 1, reason=Reason.NO_CAPACITY),
            referral(ReferralOverdue, 2, answer_by=NOON),
        )
    )

    assert [(note.kind, note.agency, note.reason) for note in progress.notes] == [
        ("requested", "homes", None),
        ("rejected", "homes", "no-capacity"),
        ("overdue", "homes", None),
    ]


def test_the_latest_state_of_a_referral_counts_in_whatever_order_events_arrive() -> None:
    forward = heard(referral(ReferralRequested), referral(ReferralAccepted, 1), referral(ReferralCompleted, 2))

    for order in (forward, forward[::-1]):
        (handover,) = project_progress(order).referrals
        assert (handover.state, handover.sequence) == ("completed", 3)


def test_a_reminder_changes_no_state() -> None:
    assert project_progress(heard(referral(ReferralOverdue, answer_by=NOON))).referrals == ()


def test_a_resolved_case_is_closed_whatever_event_follows() -> None:
    resolved = CaseResolved(case_id=CASE, resolution="completed", submitted_at=NOON, resolved_at=NOON + 5 * HOUR)

    (change,) = project_progress(heard(resolved, referral(ReferralCompleted, 4))).changes

    assert (change.resolution, change.resolved_at, change.changed_at) == ("completed", NOON + 5 * HOUR, NOON + 5 * HOUR)


def test_each_case_has_its_own_changes() -> None:
    unroutable = CaseUnroutable(
        case_id=OTHER,
        need_id=UUID(int=9),
        need="quiet",
        reason=Reason.NO_PROGRAM,
        submitted_at=NOON,
        unroutable_at=NOON + HOUR,
    )

    progress = project_progress(heard(referral(ReferralRequested), unroutable))

    assert {change.case_id: change.changed_at for change in progress.changes} == {CASE: NOON, OTHER: NOON + HOUR}


def test_that_a_case_was_looked_at_is_no_news_to_a_resident() -> None:
    progress = project_progress(heard(CaseRouted(case_id=CASE, submitted_at=NOON, routed_at=NOON)))

    assert (progress.notes, progress.referrals, progress.changes) == ((), (), ())


def test_there_is_a_state_for_every_event_that_changes_one() -> None:
    verbs = {kind.model_fields["type"].default.split(".")[1] for kind in ReferralEvent.__subclasses__()}

    assert verbs - STATE_AFTER.keys() == {"overdue", "escalated"}
