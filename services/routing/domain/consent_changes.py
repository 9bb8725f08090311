"""A consent is granted, revoked or expires: agencies receive more, or are told not to use what they received."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Literal, NamedTuple
from uuid import UUID

from services.routing.domain.case import CaseState
from services.routing.domain.decision import (
    CaseDecision,
    Cause,
    ConsentRecall,
    DecisionBuilder,
    DecisionContext,
    OutgoingEvent,
    ReportErasure,
    Step,
    TriageChange,
    emit,
    notify_agency,
)
from services.routing.domain.disclosure import disclose_more, disclose_request, plan_disclosure
from services.routing.domain.placement import Placed, place
from services.routing.domain.referral import Referral
from services.routing.domain.referrals import cancel_referral, cancel_unannounced, request_help, request_or_queue
from shared.events import agency_inbox, disclosures
from shared.events.fields import FieldGroup
from shared.events.reasons import Reason
from shared.policy.plan import ReleasePlan

RevocationCause = Literal["consent-withdrawn", "consent-expired"]


class ConsentUse(NamedTuple):
    """One disclosure that depends on a consent for some groups."""

    receipt_id: UUID
    referral_id: UUID
    agency: str
    groups: tuple[FieldGroup, ...]
    delivered: bool
    """False if the relay withheld the event, so that the agency never received it."""


class RevokedConsent(NamedTuple):
    """A consent that no longer holds, why, and the disclosures under it that have not been recalled."""

    consent_id: UUID
    why: RevocationCause
    uses: tuple[ConsentUse, ...]


class GrantedConsent(NamedTuple):
    """A consent that holds now, and the referrals for which something has been disclosed under it already."""

    consent_id: UUID
    used_for: frozenset[UUID]


def extend_disclosure(case: CaseState, granted: GrantedConsent, cause: Cause, context: DecisionContext) -> CaseDecision:
    """Disclose more to the agencies that may have more because of a consent, and ask those that may be asked now."""
    decision = DecisionBuilder(case, cause, context)
    if case.resolution is not None or context.is_suppressed(case.report):
        return decision.build()
    before = context.without_consent(case.report.case_id, granted.consent_id)
    for referral in case.open_referrals():
        if referral.referral_id not in granted.used_for:
            planned = plan_disclosure(case, referral, context)
            if _allows_more(planned.plan, plan_disclosure(case, referral, before).plan):
                decision.add(disclose_more(planned, cause))
    for entry in case.triage.values():
        if entry.is_open:
            tried = _programs_not_to_ask(case, entry.need.need_id)
            outcome = place(context.query(decision.case, entry.need), context.city, tried)
            if isinstance(outcome, Placed):
                placed_by_consent = replace(entry, ended_by="consent", assigned_to=outcome.program.name)
                decision.add(TriageChange(placed_by_consent))
                decision.add(*request_help(decision.case, entry.need, outcome, context, cause))
    for need in decision.case.unassigned_needs():
        tried = _programs_not_to_ask(decision.case, need.need_id)
        outcome = place(context.query(decision.case, need), context.city, tried)
        decision.add(*request_or_queue(decision.case, need, outcome, context, cause))
    return decision.build()


def recall(case: CaseState, revoked: RevokedConsent, cause: Cause, context: DecisionContext) -> CaseDecision:
    """Recall what was disclosed under a consent; end or repeat the requests that depended on it.

    An agency that never received a request is notified neither of the recall nor of the end of the referral. The
    other services are: they were told of the disclosure when it was decided.
    """
    decision = DecisionBuilder(case, cause, context)
    decision.add(ConsentRecall(revoked.consent_id, tuple(_recall_events(case, revoked, context))))
    delivered = {use.referral_id for use in revoked.uses if use.delivered}
    undelivered = {use.referral_id for use in revoked.uses} - delivered
    for referral in case.open_referrals() if case.resolution is None else ():
        is_undelivered = referral.referral_id in undelivered
        decision.add(*_go_on_without(decision.case, referral, context, cause, is_undelivered=is_undelivered))
    return decision.build()


def erase(
    case: CaseState, recipients: Collection[tuple[UUID, str]], cause: Cause, context: DecisionContext
) -> CaseDecision:
    """Tell every agency that received something of the case to delete it, and drop the sealed groups of the report.

    `recipients` are pairs of a referral and its agency. The sealed groups cannot be decrypted: the person's key is
    erased.
    """
    decision = DecisionBuilder(case, cause, context)
    case_id = case.report.case_id
    events = [
        notify_agency(agency, agency_inbox.PersonErased(case_id=case_id, referral_id=referral_id, sent_at=context.now))
        for referral_id, agency in sorted(recipients)
    ]
    decision.add(ReportErasure(case.report.model_copy(update={"sealed": {}}), tuple(events)))
    return decision.build()


def _allows_more(now: ReleasePlan, before: ReleasePlan) -> bool:
    return any(groups - before.groups_in(form) for form, groups in now.forms.items())


def _programs_not_to_ask(case: CaseState, need_id: UUID) -> set[str]:
    """Return the programs that were asked already, but for those that lost the referral only because of a consent."""
    return {each.program_name for each in case.referrals_of(need_id) if each.reason is not Reason.WITHDRAWN}


def _recall_events(case: CaseState, revoked: RevokedConsent, context: DecisionContext) -> Iterator[OutgoingEvent]:
    for referral_id, uses in _by_referral(revoked.uses).items():
        groups = {group for use in uses for group in use.groups}
        facts = {
            "case_id": case.report.case_id,
            "referral_id": referral_id,
            "groups": tuple([group for group in FieldGroup if group in groups]),
            "receipts": tuple(use.receipt_id for use in uses),
            "consent_id": revoked.consent_id,
            "why": revoked.why,
        }
        agency, now = uses[0].agency, context.now
        delivered = tuple(use.receipt_id for use in uses if use.delivered)
        if delivered:
            received = {**facts, "receipts": delivered}
            yield notify_agency(agency, agency_inbox.DisclosureRecalled(**received, sent_at=now))
        yield emit(disclosures.DisclosureRecalled(**facts, agency=agency, occurred_at=now))


def _go_on_without(
    case: CaseState, referral: Referral, context: DecisionContext, cause: Cause, *, is_undelivered: bool
) -> list[Step]:
    """End a referral whose agency may not know of it any more, or repeat a request that the relay withheld."""
    planned = plan_disclosure(case, referral, context)
    if planned.plan.entitled:
        return [disclose_request(planned, cause)] if is_undelivered else []
    reason, now = Reason.WITHDRAWN, context.now
    change = (
        cancel_unannounced(case, referral, reason, now)
        if is_undelivered
        else cancel_referral(case, referral, reason, now, context)
    )
    after, need = case.with_referral(change.referral), case.need(referral.need_id)
    outcome = place(context.query(after, need), context.city, after.programs_asked(need.need_id))
    return [change, *request_or_queue(after, need, outcome, context, cause)]


def _by_referral(uses: Iterable[ConsentUse]) -> dict[UUID, list[ConsentUse]]:
    found: dict[UUID, list[ConsentUse]] = {}
    for use in uses:
        found.setdefault(use.referral_id, []).append(use)
    return found
