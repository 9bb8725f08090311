"""Projects each event onto facts."""

from functools import singledispatch
from uuid import UUID

from services.metrics.domain.facts import CaseFact, DeliveryFact, Fact, HoldFact, NeedFact, ReferralFact
from shared.events import intake, notifications, referrals, routing
from shared.events.event import Event
from shared.events.wire import Envelope

_TIME_FIELDS: dict[type[Event], str] = {
    referrals.ReferralRequested: "requested_at",
    referrals.ReferralAccepted: "accepted_at",
    referrals.ReferralRejected: "rejected_at",
    referrals.ReferralStarted: "started_at",
    referrals.ReferralCompleted: "completed_at",
    referrals.ReferralFailed: "failed_at",
    referrals.ReferralCancelled: "cancelled_at",
    referrals.ReferralTransferred: "transferred_at",
    referrals.ReferralOverdue: "overdue_at",
    referrals.ReferralEscalated: "escalated_at",
}
"""The field of the referral that each event fills with its time."""

_RESOLUTION_FIELDS = {"completed": "completed_at", "not-completed": "not_completed_at", "withdrawn": "called_off_at"}
"""The field of the case that each resolution fills with its time."""

_WITH_ANSWER_BY = (referrals.ReferralRequested, referrals.ReferralOverdue, referrals.ReferralEscalated)
_WITH_REASON = (referrals.ReferralRejected, referrals.ReferralFailed, referrals.ReferralCancelled)


@singledispatch
def facts_of(event: Event, envelope: Envelope) -> tuple[Fact, ...]:  # noqa: ARG001 - other registrations need it
    """Return the facts in one event; none for a type that changes no figure.

    An agency's own update gives no facts: routing may refuse it, and publishes an event of its own when it applies it.
    """
    return ()


@facts_of.register
def _submitted(event: intake.CaseSubmitted, envelope: Envelope) -> tuple[Fact, ...]:  # noqa: ARG001
    case = CaseFact(
        case_id=event.case_id,
        service_request_id=event.service_request_id,
        service_code=event.service_code,
        district=event.place.district,
        urgency=event.urgency,
        channel=event.origin.channel,
        origin=event.origin.source,
        external_id=event.origin.external_id,
        needs=len(event.needs),
        filed_at=event.submitted_at,
    )
    return case, *(NeedFact(need_id=need.need_id, case_id=event.case_id, need=need.need) for need in event.needs)


@facts_of.register
def _withdrawn(event: intake.CaseWithdrawn, envelope: Envelope) -> tuple[Fact, ...]:  # noqa: ARG001
    return (CaseFact(case_id=event.case_id, withdrawn_at=event.withdrawn_at),)


@facts_of.register
def _routed(event: routing.CaseRouted, envelope: Envelope) -> tuple[Fact, ...]:
    case = CaseFact(
        case_id=event.case_id,
        filed_at=event.submitted_at,
        routed_at=event.routed_at,
        record_only=event.record_only,
    )
    referred = (_named_referral(event, need) for need in event.routed)
    unrouted = (_unroutable_need(event.case_id, need_id, envelope) for need_id in event.unrouted)
    return case, *referred, *unrouted


def _named_referral(event: routing.CaseRouted, need: routing.RoutedNeed) -> ReferralFact:
    return ReferralFact(
        referral_id=need.referral_id,
        case_id=event.case_id,
        need_id=need.need_id,
        need=need.need,
        agency=need.agency,
        program=need.program,
        named=True,
        filed_at=event.submitted_at,
    )


def _unroutable_need(case_id: UUID, need_id: UUID, envelope: Envelope) -> NeedFact:
    return NeedFact(need_id=need_id, case_id=case_id, unroutable_sequence=envelope.sequence)


@facts_of.register
def _unroutable(event: routing.CaseUnroutable, envelope: Envelope) -> tuple[Fact, ...]:
    need = NeedFact(
        need_id=event.need_id, case_id=event.case_id, need=event.need, unroutable_sequence=envelope.sequence
    )
    return CaseFact(case_id=event.case_id, filed_at=event.submitted_at), need


@facts_of.register
def _resolved(event: routing.CaseResolved, envelope: Envelope) -> tuple[Fact, ...]:  # noqa: ARG001
    time = {_RESOLUTION_FIELDS[event.resolution]: event.resolved_at}
    case = CaseFact(
        case_id=event.case_id,
        filed_at=event.submitted_at,
        record_only=event.record_only,
        first_resolved_at=event.resolved_at,
        **time,  # type: ignore[arg-type]
    )
    return (case,)


@facts_of.register
def _referral(event: referrals.ReferralEvent, envelope: Envelope) -> tuple[Fact, ...]:
    time_field = _TIME_FIELDS.get(type(event))
    referral = ReferralFact(
        referral_id=event.referral_id,
        case_id=event.case_id,
        need_id=event.need_id,
        need=event.need,
        agency=event.agency,
        program=event.program,
        record_only=event.record_only,
        filed_at=event.submitted_at,
        reason=event.reason.value if isinstance(event, _WITH_REASON) else None,
        attempt=event.attempt if isinstance(event, referrals.ReferralRequested) else None,
        answer_by=event.answer_by if isinstance(event, _WITH_ANSWER_BY) else None,
        **({time_field: event.occurred_at} if time_field else {}),  # type: ignore[arg-type]
    )
    return referral, *_need_and_hold(event, envelope)


def _need_and_hold(event: referrals.ReferralEvent, envelope: Envelope) -> tuple[Fact, ...]:
    """Return the facts in a referral's event that are about its need or its holds."""
    if isinstance(event, referrals.ReferralRequested):
        need = NeedFact(
            need_id=event.need_id, case_id=event.case_id, need=event.need, requested_sequence=envelope.sequence
        )
        return (need,)
    if isinstance(event, referrals.ReferralHeld | referrals.ReferralResumed):
        hold = HoldFact(
            event_id=envelope.id,
            case_id=event.case_id,
            referral_id=event.referral_id,
            occurred_at=event.occurred_at,
            sequence=envelope.sequence,
            outside=not event.agency_controls if isinstance(event, referrals.ReferralHeld) else None,
        )
        return (hold,)
    return ()


@facts_of.register
def _delivery(event: notifications.NotificationEvent, envelope: Envelope) -> tuple[Fact, ...]:  # noqa: ARG001
    delivery = DeliveryFact(
        delivery_id=event.delivery_id,
        case_id=event.case_id,
        template=event.template,
        channel=event.channel,
        why=event.why if isinstance(event, notifications.NotificationSuppressed) else None,
        **{_outcome_field(event): event.occurred_at},
    )
    return (delivery,)


def _outcome_field(event: notifications.NotificationEvent) -> str:
    """Name the field of the delivery that the event fills with its time."""
    if isinstance(event, notifications.NotificationFailed):
        return f"{event.failure}_at"
    return "sent_at" if isinstance(event, notifications.NotificationSent) else "suppressed_at"
