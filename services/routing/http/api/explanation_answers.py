"""Explanations as JSON: ids, names of groups and sentences, and nothing of what a report says."""

from dataclasses import asdict
from typing import Any

from services.routing.domain.explanation import Candidate, DisclosureExplanation, GroupDecision, PlacementExplanation
from services.routing.domain.what_if import PastCase
from services.routing.store.evidence import DenialRecord, Evidence
from services.routing.use_cases.explain.choices import CasePlacements, NeedPlacements
from services.routing.use_cases.explain.disclosures import (
    AgencyDisclosures,
    CaseDisclosures,
    NeedDisclosure,
    PastDecision,
)
from shared.events.wire import write_time
from shared.policy.explanation import describe_denial

Json = dict[str, Any]


def describe_sharing(found: CaseDisclosures) -> Json:
    """Return why each agency was given what it was given."""
    return {
        **_head(found.past),
        "asked_at": write_time(found.asked_at),
        "policy_set": found.policy_set,
        "consents": [_consent(each) for each in found.past.consents],
        "agencies": [_agency(each, found.evidence) for each in found.agencies],
    }


def describe_choices(found: CasePlacements) -> Json:
    """Return why each program was asked."""
    return {
        **_head(found.past),
        "asked_at": write_time(found.asked_at),
        "holders": sorted(found.past.holders(found.asked_at)),
        "needs": [_need(each, found) for each in found.needs],
    }


def describe_choice(choice: PlacementExplanation) -> Json:
    """Return which rule counts, and how its candidates stand."""
    return {
        **choice._asdict(),
        "looks": [look._asdict() for look in choice.looks],
        "candidates": [_candidate(each) for each in choice.candidates],
        "fallback": _candidate(choice.fallback) if choice.fallback else None,
    }


def describe_refusal(each: DenialRecord) -> Json:
    """Return whom a need was not told to, and why."""
    return {
        "case_id": str(each.case_id),
        "need_id": str(each.need_id),
        "agency": each.agency,
        "refused_at": write_time(each.refused_at),
        "why": each.why,
        "says": f"{each.agency} may not know of the need: {'; '.join(map(describe_denial, each.why))}.",
        "policy_set": each.policy_set,
    }


def _head(past: PastCase) -> Json:
    report = past.case.report
    return {
        "case_id": str(report.case_id),
        "service_request_id": report.service_request_id,
        "service_code": report.service_code,
        "district": report.place.district,
        "submitted_at": write_time(report.submitted_at),
        "routed_at": write_time(past.routed_at),
    }


def _consent(consent: Any) -> Json:
    return {
        "consent_id": str(consent.consent_id),
        "recipients": sorted(consent.recipients),
        "groups": sorted(consent.groups),
        "purpose": consent.purpose,
        "granted_at": write_time(consent.granted_at),
        "ends_at": write_time(consent.ends_at),
        "withdrawn_at": write_time(consent.withdrawn_at) if consent.withdrawn_at else None,
    }


def _agency(found: AgencyDisclosures, evidence: Evidence) -> Json:
    name = found.agency
    return {
        "agency": name,
        "because": list(found.because),
        "needs": [_about(each) for each in found.about],
        "receipts": [_plain(each) for each in evidence.receipts if each.agency == name],
        "recalls": [_plain(each) for each in evidence.recalls if each.agency == name],
        "refused": [describe_refusal(each) for each in evidence.refusals if each.agency == name],
        "opened_in_emergencies": [_plain(each) for each in evidence.opened if each.agency == name],
        "withheld_events": [_plain(each) for each in evidence.withheld if each.agency == name],
    }


def _about(found: NeedDisclosure) -> Json:
    referral = found.referral
    return {
        "need_id": str(found.need.need_id),
        "need": found.need.need,
        "referral_id": str(referral.referral_id) if referral else None,
        "program": referral.program if referral else None,
        "state": referral.state if referral else None,
        "then": _moment(found.then, asked=referral is not None),
        "now": _decision(found.now, asked=referral is not None),
    }


def _moment(then: PastDecision, *, asked: bool) -> Json:
    return {
        "at": write_time(then.at),
        "policy_set": then.policy_set,
        "remark": then.remark,
        **(
            _decision(then.decision, asked=asked)
            if then.decision
            else {"entitled": None, "says": then.remark, "groups": []}
        ),
    }


def _decision(decision: DisclosureExplanation, *, asked: bool) -> Json:
    return {
        "entitled": decision.entitled,
        "says": decision.says(asked=asked),
        "policy_set": decision.policy_set,
        "groups": [_answer(each) for each in decision.answers],
    }


def _answer(answer: GroupDecision) -> Json:
    return {**answer._asdict(), "given": [each._asdict() for each in answer.given]}


def _need(found: NeedPlacements, whole: CasePlacements) -> Json:
    need_id = found.need.need_id
    return {
        "need_id": str(need_id),
        "need": found.need.need,
        "referrals": [
            {
                "referral_id": str(each.referral_id),
                "program": each.program_name,
                "attempt": each.attempt,
                "state": each.state,
                "asked_at": write_time(each.asked_at),
                "by": whole.reasons[each.referral_id].by,
                "why": whole.reasons[each.referral_id].why,
            }
            for each in whole.past.case.referrals_of(need_id)
        ],
        "triage": [_plain(each) for each in whole.triage if each.need_id == need_id],
        "then": describe_choice(found.then) if found.then else None,
        "now": describe_choice(found.now),
    }


def _candidate(candidate: Candidate) -> Json:
    return candidate._asdict()


def _plain(row: Any) -> Json:
    """Return a record as JSON."""
    return {name: _value(value) for name, value in asdict(row).items()}


def _value(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return write_time(value)
    if isinstance(value, list):
        return [each if isinstance(each, dict) else str(each) for each in value]
    return value if value is None or isinstance(value, (int, str)) else str(value)
