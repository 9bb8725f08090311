"""Explanations for staff as JSON: why agencies received what they did, and why programs were asked.

They contain ids, names of field groups and sentences, and nothing of what a report says. Where a value of the domain
or a record of the store is a part of them, its fields are the keys of the JSON.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from services.routing.domain.explanation import DisclosureExplanation, GroupDecision, PlacementExplanation
from services.routing.domain.what_if import PastCase
from services.routing.store.evidence import (
    AccessRecord,
    DenialRecord,
    Evidence,
    RecallRecord,
    ReceiptRecord,
    TriageRecord,
    WithheldEvent,
)
from services.routing.use_cases.explain.disclosures import (
    AgencyDisclosures,
    CaseDisclosures,
    NeedDisclosure,
    PastDecision,
)
from services.routing.use_cases.explain.placements import CasePlacements, NeedPlacements
from shared.events.fields import FieldGroup
from shared.kit.http.replies import JsonAnswer
from shared.policy.explanation import describe_denial


class CaseHead(JsonAnswer):
    """The case that an explanation is about."""

    case_id: UUID
    service_request_id: str
    service_code: str
    district: str | None
    submitted_at: datetime
    routed_at: datetime


class ConsentView(JsonAnswer):
    """A consent of the person, also one that was withdrawn."""

    consent_id: UUID
    recipients: list[str]
    groups: list[FieldGroup]
    purpose: str
    granted_at: datetime
    ends_at: datetime
    withdrawn_at: datetime | None


class DecisionView(JsonAnswer):
    """What is decided now about one agency and one need."""

    entitled: bool
    says: str
    policy_set: str
    groups: list[GroupDecision]


class PastDecisionView(JsonAnswer):
    """What was decided then; without `groups` where the agreements of then are not on record, as `remark` says."""

    at: datetime
    policy_set: str | None
    remark: str | None
    entitled: bool | None
    says: str | None
    groups: list[GroupDecision]


class NeedDisclosureView(JsonAnswer):
    """One agency and one need; without a referral the agency was not asked."""

    need_id: UUID
    need: str
    referral_id: UUID | None
    program: str | None
    state: str | None
    then: PastDecisionView
    now: DecisionView


class DenialView(JsonAnswer):
    """An agency that was not asked because it may not know of a need; `why` are the ids of the policies."""

    case_id: UUID
    need_id: UUID
    agency: str
    refused_at: datetime
    why: list[str]
    says: str
    policy_set: str


class AgencyView(JsonAnswer):
    """One agency: how it is involved, the decisions about it, and what is recorded."""

    agency: str
    because: list[str]
    needs: list[NeedDisclosureView]
    receipts: list[ReceiptRecord]
    recalls: list[RecallRecord]
    refused: list[DenialView]
    opened_in_emergencies: list[AccessRecord]
    withheld_events: list[WithheldEvent]


class SharingView(CaseHead):
    """Why each agency received what it did."""

    asked_at: datetime
    policy_set: str
    consents: list[ConsentView]
    agencies: list[AgencyView]


class RequestedReferralView(JsonAnswer):
    """A referral, who asked for it, and why."""

    referral_id: UUID
    program: str
    attempt: int
    state: str
    asked_at: datetime
    by: str
    why: str


class NeedPlacementsView(JsonAnswer):
    """One need: what was done, and what the present rules choose under the agreements of then and of now."""

    need_id: UUID
    need: str
    referrals: list[RequestedReferralView]
    triage: list[TriageRecord]
    then: PlacementExplanation | None
    now: PlacementExplanation


class RoutingView(CaseHead):
    """Why each program was asked; `holders` are the agencies that have a referral in the case."""

    asked_at: datetime
    holders: list[str]
    needs: list[NeedPlacementsView]


class HypotheticalView(JsonAnswer):
    """Which programs would be asked for help with a report that does not exist."""

    service_code: str
    needs: list[PlacementExplanation]


def sharing_view(found: CaseDisclosures) -> SharingView:
    """Describe why each agency received what it did."""
    return SharingView(
        **_head(found.past),
        asked_at=found.asked_at,
        policy_set=found.policy_set,
        consents=[
            ConsentView(
                consent_id=each.consent_id,
                recipients=sorted(each.recipients),
                groups=sorted(each.groups),
                purpose=each.purpose,
                granted_at=each.granted_at,
                ends_at=each.ends_at,
                withdrawn_at=each.withdrawn_at,
            )
            for each in found.past.consents
        ],
        agencies=[_agency(each, found.evidence) for each in found.agencies],
    )


def denial_view(denial: DenialRecord) -> DenialView:
    """Describe why an agency was not asked."""
    return DenialView(
        case_id=denial.case_id,
        need_id=denial.need_id,
        agency=denial.agency,
        refused_at=denial.refused_at,
        why=denial.why,
        says=f"{denial.agency} may not know of the need: {'; '.join(map(describe_denial, denial.why))}.",
        policy_set=denial.policy_set,
    )


def routing_view(found: CasePlacements) -> RoutingView:
    """Describe why each program was asked."""
    return RoutingView(
        **_head(found.past),
        asked_at=found.asked_at,
        holders=sorted(found.past.holders(found.asked_at)),
        needs=[_need(each, found) for each in found.needs],
    )


def _head(past: PastCase) -> dict[str, Any]:
    report = past.case.report
    return {
        "case_id": report.case_id,
        "service_request_id": report.service_request_id,
        "service_code": report.service_code,
        "district": report.place.district,
        "submitted_at": report.submitted_at,
        "routed_at": past.routed_at,
    }


def _agency(found: AgencyDisclosures, evidence: Evidence) -> AgencyView:
    name = found.agency
    return AgencyView(
        agency=name,
        because=list(found.because),
        needs=[_need_disclosure(each) for each in found.about],
        receipts=[each for each in evidence.receipts if each.agency == name],
        recalls=[each for each in evidence.recalls if each.agency == name],
        refused=[denial_view(each) for each in evidence.refusals if each.agency == name],
        opened_in_emergencies=[each for each in evidence.opened if each.agency == name],
        withheld_events=[each for each in evidence.withheld if each.agency == name],
    )


def _need_disclosure(found: NeedDisclosure) -> NeedDisclosureView:
    referral = found.referral
    return NeedDisclosureView(
        need_id=found.need.need_id,
        need=found.need.need,
        referral_id=referral.referral_id if referral else None,
        program=referral.program if referral else None,
        state=referral.state if referral else None,
        then=_past_decision(found.then, asked=referral is not None),
        now=_decision(found.now, asked=referral is not None),
    )


def _past_decision(then: PastDecision, *, asked: bool) -> PastDecisionView:
    decision = then.decision
    return PastDecisionView(
        at=then.at,
        # where only the policies of now can be applied to the agreements of then, their hash is another
        policy_set=decision.policy_set if decision else then.policy_set,
        remark=then.remark,
        entitled=decision.entitled if decision else None,
        says=decision.says(asked=asked) if decision else then.remark,
        groups=list(decision.answers) if decision else [],
    )


def _decision(decision: DisclosureExplanation, *, asked: bool) -> DecisionView:
    return DecisionView(
        entitled=decision.entitled,
        says=decision.says(asked=asked),
        policy_set=decision.policy_set,
        groups=list(decision.answers),
    )


def _need(found: NeedPlacements, case: CasePlacements) -> NeedPlacementsView:
    need_id = found.need.need_id
    return NeedPlacementsView(
        need_id=need_id,
        need=found.need.need,
        referrals=[
            RequestedReferralView(
                referral_id=each.referral_id,
                program=each.program_name,
                attempt=each.attempt,
                state=each.state,
                asked_at=each.asked_at,
                by=case.reasons[each.referral_id].by,
                why=case.reasons[each.referral_id].why,
            )
            for each in case.past.case.referrals_of(need_id)
        ],
        triage=[each for each in case.triage if each.need_id == need_id],
        then=found.then,
        now=found.now,
    )
